#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use sp_crypto_hashing::blake2_256;

use super::*;
use crate::verbs::network::{
    genesis::tests::spec,
    host::{self as host_folder, KEYSTORE, NODE_KEY_FILE, SPEC_FILE, START_FILE},
    init::{describe, make_account, HOSTS, KEYS},
    keys,
    plan::{with_ports, FIRST_PORTS},
    record::{self, Host, Member, Network},
};

/// A network's folder as `init` makes it, but for the specification's rules.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let named = ["munich=10.0.0.1", "oslo=10.0.0.2"].map(|text| (text.parse().unwrap(), true));
        let reader = [("reader=10.0.0.3".parse().unwrap(), false)];
        let plans = with_ports(named.into_iter().chain(reader), FIRST_PORTS, &[]);
        let (mut session_keys, mut nodes) = (BTreeMap::new(), BTreeMap::new());
        let mut hosts: Vec<Host> = plans.iter().map(|plan| describe(at, plan, true).unwrap()).collect();
        for host in &hosts {
            let home = at.join(HOSTS).join(&host.name);
            let peer = host.peer_id.parse().unwrap();
            nodes.insert(keys::node_key(&peer).unwrap(), host.name.clone());
            if let Some(account) = &host.validator {
                let made = keys::make_session_keys(&home.join(KEYSTORE)).unwrap();
                session_keys.insert(crate::parse::account(account).unwrap(), made);
            }
        }
        let ada = make_account(&at.join(KEYS).join("council"), "ada").unwrap();
        let spec = spec(&session_keys, &nodes, &BTreeSet::from([ada.clone()]));
        let spec_hash = hex::encode(blake2_256(spec.as_bytes()));
        for host in &mut hosts {
            host.spec_hash.clone_from(&spec_hash);
            host_folder::write(&at.join(HOSTS).join(&host.name), host, "Test", spec.as_bytes()).unwrap();
        }
        let ada = Member { name: "ada".into(), account: crate::parse::address(&ada), key_here: true };
        let network = Network {
            name: "Test".into(),
            id: "test".into(),
            spec_hash,
            council: vec![ada],
            issuer: vec![],
            host: hosts,
        };
        record::write(&at.join(NETWORK_FILE), &network).unwrap();
        World { folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn host(&self, name: &str) -> PathBuf {
        self.path(HOSTS).join(name)
    }

    /// A session key's file of a host.
    fn session_key(&self, host: &str, mark: &str) -> PathBuf {
        let files = fs::read_dir(self.host(host).join(KEYSTORE)).unwrap().map(|file| file.unwrap().path());
        let marked =
            |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with(&hex::encode(mark));
        files.into_iter().find(marked).unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Network)) {
        let file = self.path(NETWORK_FILE);
        let mut network: Network = record::read(&file).unwrap();
        change(&mut network);
        record::write(&file, &network).unwrap();
    }

    /// What is found, in one text.
    fn found(&self) -> String {
        match run(self.folder.path()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn finds(&self, what: &str) {
        let found = self.found();
        assert!(found.contains(what), "looked for {what:?} in:\n{found}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn nothing_is_wrong_with_what_init_makes() {
    let world = World::new();
    assert_eq!(world.found(), "");
    for host in ["munich", "oslo", "reader"] {
        assert!(run(&world.host(host)).is_ok(), "{host}");
    }
}

#[test]
fn a_folder_that_is_neither_network_nor_host_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path()).err().unwrap().to_string().contains("neither"));
}

#[test]
fn a_missing_key_is_found() {
    let world = World::new();
    fs::remove_file(world.session_key("munich", "gran")).unwrap();
    world.finds("the grandpa key that the chain expects of this validator is missing");
    fs::remove_file(world.host("oslo").join(NODE_KEY_FILE)).unwrap();
    world.finds("hosts/oslo/node.key");
}

#[test]
fn a_foreign_session_key_is_found() {
    let world = World::new();
    let (file, elsewhere) = (world.session_key("munich", "aura"), world.host("oslo").join(KEYSTORE));
    fs::rename(&file, elsewhere.join(file.file_name().unwrap())).unwrap();
    world.finds("it holds the aura key of another validator");
}

#[test]
fn session_keys_that_do_not_match_genesis_are_found() {
    let world = World::new();
    let keystore = world.host("munich").join(KEYSTORE);
    fs::remove_dir_all(&keystore).unwrap();
    keys::private_folder(&keystore).unwrap();
    keys::make_session_keys(&keystore).unwrap();
    world.finds("it holds a settlement key that the chain does not know at genesis");
    world.finds("the settlement key that the chain expects of this validator is missing");
}

#[test]
fn a_session_key_under_a_wrong_name_is_found() {
    let world = World::new();
    fs::copy(world.session_key("munich", "gran"), world.session_key("munich", "stlm")).unwrap();
    world.finds("it does not hold the settlement key that its name says");
}

#[test]
fn something_else_in_the_keystore_is_found() {
    let world = World::new();
    keys::private_file(&world.host("reader").join(KEYSTORE).join("notes.txt"), "hello").unwrap();
    world.finds("it is not a session key");
}

#[test]
fn a_foreign_node_key_is_found_and_that_two_hosts_share_it() {
    let world = World::new();
    fs::copy(world.host("oslo").join(NODE_KEY_FILE), world.host("munich").join(NODE_KEY_FILE)).unwrap();
    world.finds("it is the key of another node");
    world.finds("it has the same node key as munich");
}

#[test]
fn a_node_key_that_is_not_on_the_list_is_found() {
    let world = World::new();
    let file = world.host("reader").join(NODE_KEY_FILE);
    fs::remove_file(&file).unwrap();
    keys::make_node_key(&file).unwrap();
    world.finds("is not on the chain's list of nodes");
}

#[test]
fn files_that_others_can_read_are_found() {
    for path in ["node.key", "keystore"] {
        let world = World::new();
        set_mode(&world.host("munich").join(path), 0o755);
        world.finds("others than its owner can read it (mode 755)");
    }
    let world = World::new();
    set_mode(&world.session_key("munich", "aura"), 0o640);
    world.finds("(mode 640)");
    let world = World::new();
    set_mode(&world.path("keys/council/ada.key"), 0o644);
    world.finds("is open to others");
}

#[test]
fn a_specification_that_differs_between_hosts_is_found() {
    let world = World::new();
    let file = world.host("oslo").join(SPEC_FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"Test\"", "\"Other\"")).unwrap();
    world.finds("it differs from the other hosts' chain specification");
    assert!(run(&world.host("oslo")).is_err(), "and on the host itself");
}

#[test]
fn a_specification_that_is_not_raw_is_found() {
    let world = World::new();
    fs::write(world.host("oslo").join(SPEC_FILE), r#"{ "genesis": { "runtimeGenesis": {} } }"#).unwrap();
    world.finds("not a raw chain specification");
}

#[test]
fn session_keys_that_two_hosts_share_are_found() {
    let world = World::new();
    let file = world.session_key("munich", "aura");
    fs::copy(&file, world.host("reader").join(KEYSTORE).join(file.file_name().unwrap())).unwrap();
    world.finds("it has the same aura key as munich");
}

#[test]
fn ports_that_clash_on_one_machine_are_found() {
    let world = World::new();
    world.change(|network| network.host[1].address = "10.0.0.1".into());
    world.finds("port 9944 (JSON-RPC) on 10.0.0.1 is taken by munich");
}

#[test]
fn a_start_script_that_cannot_be_run_is_found() {
    let world = World::new();
    set_mode(&world.host("munich").join(START_FILE), 0o644);
    world.finds("its owner cannot run it");
}

#[test]
fn a_host_without_a_folder_and_a_folder_without_a_host_are_found() {
    let world = World::new();
    fs::rename(world.host("munich"), world.host("paris")).unwrap();
    world.finds("the host's folder is missing");
    world.finds("it belongs to no host");
}

#[test]
fn records_that_disagree_are_found() {
    let world = World::new();
    world.change(|network| network.host[0].rpc_port = 1);
    world.finds("describe different hosts");
}

#[test]
fn strangers_in_the_specification_are_found() {
    let world = World::new();
    world.change(|network| {
        network.host.remove(0);
    });
    world.finds("the chain begins with the validator");
    world.finds("the chain's list begins with the node");
    let world = World::new();
    world.change(|network| network.council.clear());
    world.finds("the council that the chain begins with is not the one on record");
}

#[test]
fn the_key_of_somebody_else_is_found_and_one_that_was_given_away_is_fine() {
    let world = World::new();
    let file = world.path("keys/council/ada.key");
    fs::remove_file(&file).unwrap();
    assert_eq!(world.found(), "");
    make_account(&world.path("keys/council"), "ada").unwrap();
    world.finds("it is the key of");
}

#[test]
fn no_finding_shows_a_secret() {
    let world = World::new();
    let file = world.session_key("munich", "aura");
    let secret: String = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    fs::copy(&file, world.session_key("munich", "gran")).unwrap();
    set_mode(&file, 0o644);
    let node_key = fs::read_to_string(world.host("munich").join(NODE_KEY_FILE)).unwrap();
    fs::write(world.host("munich").join(NODE_KEY_FILE), format!("{node_key}0")).unwrap();
    let found = world.found();
    assert!(!found.is_empty() && !found.contains(&secret[2..]) && !found.contains(node_key.trim()));
}
