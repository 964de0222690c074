//! `stipend network init`: founds a network.

use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use serde_json::json;
use sp_crypto_hashing::blake2_256;
use stipend_sdk::{primitives::AccountId, Signer};

use super::{
    ask::Ask,
    host,
    keys::{self, SessionKeys},
    plan::{with_ports, HostAt, HostPlan, Person, Plan, Ports, FIRST_PORTS},
    record::{self, cannot, Host, Member, Network, NETWORK_FILE},
    spec,
};
use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse,
};

/// The specification as people read it, and as later hosts get it.
pub(crate) const PLAIN_SPEC_FILE: &str = "chain.json";
/// The folder of the hosts' folders.
pub(crate) const HOSTS: &str = "hosts";
/// The folder of people's and validators' keys.
pub(crate) const KEYS: &str = "keys";

/// What to found.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// The folder to make; it must not exist.
    folder: PathBuf,
    /// What people call the network.
    #[arg(long)]
    name: Option<String>,
    /// A host that makes blocks. Best four or more: NAME=ADDRESS[:PORT].
    #[arg(long = "validator", value_name = "NAME=ADDRESS")]
    validators: Vec<HostAt>,
    /// A host that follows the chain and answers JSON-RPC: NAME=ADDRESS[:PORT].
    #[arg(long = "node", value_name = "NAME=ADDRESS")]
    nodes: Vec<HostAt>,
    /// A member of the council: NAME to make their key here, NAME=ACCOUNT if they made it themselves.
    #[arg(long = "council", value_name = "NAME[=ACCOUNT]")]
    council: Vec<Person>,
    /// An issuer, who may mint: NAME or NAME=ACCOUNT.
    #[arg(long = "issuer", value_name = "NAME[=ACCOUNT]")]
    issuers: Vec<Person>,
    /// Blocks in a session, for good; validators come and go at the end of one. 600, ten minutes, if
    /// it is not given.
    #[arg(long, value_name = "BLOCKS", env = "STIPEND_SESSION_BLOCKS", value_parser = clap::value_parser!(u32).range(10..))]
    session_blocks: Option<u32>,
    #[command(flatten)]
    programs: Programs,
}

/// The first ports, and the node's program.
#[derive(Args, Clone, Debug)]
pub(crate) struct Programs {
    /// Port for the other nodes; several hosts of one machine get the numbers from here on.
    #[arg(long, default_value_t = FIRST_PORTS.p2p)]
    p2p_port: u16,
    /// Port for JSON-RPC, likewise.
    #[arg(long, default_value_t = FIRST_PORTS.rpc)]
    rpc_port: u16,
    /// Port for metrics, likewise.
    #[arg(long, default_value_t = FIRST_PORTS.prometheus)]
    prometheus_port: u16,
    /// The node's program, which makes the chain specification.
    #[arg(long, value_name = "FILE")]
    pub(crate) node_program: Option<PathBuf>,
}

impl Programs {
    pub(crate) fn first_ports(&self) -> Ports {
        Ports { p2p: self.p2p_port, rpc: self.rpc_port, prometheus: self.prometheus_port }
    }
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        let (folder, program) = (self.folder.clone(), spec::node_program(self.programs.node_program.clone()));
        if folder.exists() {
            return Err(Failure::bad_input(format!(
                "{} exists already; keys are never overwritten: choose another folder",
                folder.display()
            ))
            .into());
        }
        let plan = self.into_plan()?;
        plan.check()?;
        let (name, hosts) = (plan.name.clone(), plan.hosts.len());
        context.would(
            json!({ "folder": folder, "name": name, "hosts": hosts, "advice": plan.advice() }),
            || {
                format!(
                    "{name} with {hosts} hosts and the keys that are not there yet would be made in {}",
                    folder.display()
                )
            },
        )?;
        // Everything is made beside the folder first: a failure leaves no half of a network behind.
        let partial = partial(&folder)?;
        let made = found(&partial, &plan, &program).and_then(|network| {
            fs::rename(&partial, &folder).map_err(|error| cannot("make the folder", &folder, &error))?;
            Ok(network)
        });
        if made.is_err() {
            // What failed is said; that the remains cannot be removed would only hide it.
            let _ = fs::remove_dir_all(&partial);
        }
        answer(&folder, &made?, &plan)
    }

    /// The plan of the flags, or of answers where somebody sits at a terminal.
    fn into_plan(self) -> Result<Plan> {
        let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
        if stdin.is_terminal() && stderr.is_terminal() {
            let mut input = stdin.lock();
            return self.plan(Some(&mut Ask::new(&mut input, &mut stderr)));
        }
        self.plan(None)
    }

    fn plan(mut self, ask: Option<&mut Ask>) -> Result<Plan> {
        if let Some(ask) = ask {
            self.ask(ask)?;
        }
        let name = self.name.ok_or_else(|| Failure::usage("a network needs a name; give --name \"Acme\""))?;
        let hosts = self.validators.into_iter().map(|host| (host, true));
        let hosts = hosts.chain(self.nodes.into_iter().map(|host| (host, false)));
        let hosts = with_ports(hosts, self.programs.first_ports(), &[]);
        Ok(Plan {
            name,
            hosts,
            council: self.council,
            issuers: self.issuers,
            session_blocks: self.session_blocks,
        })
    }

    fn ask(&mut self, ask: &mut Ask) -> Result<()> {
        let is_new = self.validators.is_empty() && self.council.is_empty();
        if self.name.is_none() {
            self.name = Some(ask.one("What is the network called?", |text| match text {
                "" => Err("It needs a name, such as Acme.".into()),
                text => Ok(text.to_owned()),
            })?);
        }
        if self.validators.is_empty() {
            self.validators = ask.many(
                "Which hosts make blocks? NAME=ADDRESS, such as munich=10.0.0.1; best four.",
                1,
                str::parse,
            )?;
        }
        if self.council.is_empty() {
            self.council = ask.many(
                "Who is on the council? NAME to make a key here, NAME=5F… for somebody who has one.",
                1,
                str::parse,
            )?;
        }
        if is_new && self.issuers.is_empty() {
            self.issuers = ask.many("Who may mint (HR)? NAME or NAME=5F….", 0, str::parse)?;
        }
        if is_new && self.nodes.is_empty() {
            self.nodes = ask.many("Which further hosts answer JSON-RPC? NAME=ADDRESS.", 0, str::parse)?;
        }
        Ok(())
    }
}

/// An empty private folder beside the one to be made.
fn partial(folder: &Path) -> Result<PathBuf> {
    let name = folder.file_name().ok_or_else(|| Failure::usage("name the folder to make"))?.to_string_lossy();
    let partial = folder.with_file_name(format!(".{name}.{:08x}", rand::random::<u32>()));
    keys::private_folder(&partial)?;
    Ok(partial)
}

/// A host whose keys were made.
struct Made {
    host: Host,
    session_keys: Option<(AccountId, SessionKeys)>,
}

fn found(folder: &Path, plan: &Plan, program: &Path) -> Result<Network> {
    let base = spec::export(program, "local", false)?;
    let keys = folder.join(KEYS);
    let council = members(&keys.join("council"), &plan.council)?;
    let issuer = members(&keys.join("issuers"), &plan.issuers)?;
    let mut hosts = Vec::new();
    for host in &plan.hosts {
        hosts.push(make_host(folder, host)?);
    }
    let content = content(plan, &council, &issuer, &hosts)?;
    let plain = folder.join(PLAIN_SPEC_FILE);
    fs::write(&plain, spec::fill(&base, &content)?).map_err(|error| cannot("write", &plain, &error))?;
    let raw = spec::export(program, &plain.display().to_string(), true)?;
    let spec_hash = hex::encode(blake2_256(&raw));
    for made in &mut hosts {
        made.host.spec_hash = spec_hash.clone();
        host::write(&folder.join(HOSTS).join(&made.host.name), &made.host, &plan.name, &raw)?;
    }
    let host = hosts.into_iter().map(|made| made.host).collect();
    let network = Network { name: plan.name.clone(), id: plan.id(), spec_hash, council, issuer, host };
    record::write(&folder.join(NETWORK_FILE), &network)?;
    Ok(network)
}

fn content(plan: &Plan, council: &[Member], issuers: &[Member], hosts: &[Made]) -> Result<spec::Content> {
    let accounts = |members: &[Member]| -> Result<Vec<AccountId>> {
        members.iter().map(|member| read_account(&member.account)).collect()
    };
    let mut nodes = Vec::new();
    let mut addresses = Vec::new();
    for Made { host, .. } in hosts {
        let peer = host.peer_id.parse()?;
        let key = keys::node_key(&peer).ok_or_else(|| anyhow::anyhow!("{peer} is not an ed25519 key"))?;
        nodes.push((key, host.name.clone()));
        addresses.push(format!("{}/p2p/{peer}", host::multiaddress(&host.address, host.p2p_port)));
    }
    let validators = hosts.iter().filter_map(|made| made.session_keys.clone());
    Ok(spec::Content {
        name: plan.name.clone(),
        id: plan.id(),
        validators: validators.map(|(account, keys)| spec::Validator { account, keys }).collect(),
        council: accounts(council)?,
        issuers: accounts(issuers)?,
        nodes,
        addresses,
        session_blocks: plan.session_blocks,
    })
}

fn read_account(address: &str) -> Result<AccountId> {
    parse::account(address).map_err(|why| Failure::bad_input(why).into())
}

/// Makes the keys of those who have none.
fn members(folder: &Path, people: &[Person]) -> Result<Vec<Member>> {
    people
        .iter()
        .map(|person| {
            let account = match &person.account {
                Some(account) => account.clone(),
                None => make_account(folder, &person.name)?,
            };
            Ok(Member {
                name: person.name.clone(),
                account: parse::address(&account),
                key_here: person.account.is_none(),
            })
        })
        .collect()
}

/// Makes the key of an account, in a file as `--key` reads it.
pub(crate) fn make_account(folder: &Path, name: &str) -> Result<AccountId> {
    keys::private_folder(folder)?;
    let signer = Signer::generate();
    signer.save(folder.join(format!("{name}.key")))?;
    Ok(signer.account())
}

fn make_host(folder: &Path, plan: &HostPlan) -> Result<Made> {
    let mut host = describe(folder, plan, true)?;
    let session_keys = match &mut host.validator {
        Some(account) => {
            let keystore = folder.join(HOSTS).join(&plan.name).join(host::KEYSTORE);
            Some((read_account(account)?, keys::make_session_keys(&keystore)?))
        }
        None => None,
    };
    Ok(Made { host, session_keys })
}

/// Makes a host's folder with its identity, and a validator's account.
pub(crate) fn describe(folder: &Path, plan: &HostPlan, in_genesis: bool) -> Result<Host> {
    let home = folder.join(HOSTS).join(&plan.name);
    keys::private_folder(&home.join(host::KEYSTORE))?;
    let peer_id = keys::make_node_key(&home.join(host::NODE_KEY_FILE))?.to_string();
    let validator = match plan.is_validator {
        true => Some(parse::address(&make_account(&folder.join(KEYS).join("validators"), &plan.name)?)),
        false => None,
    };
    Ok(Host {
        name: plan.name.clone(),
        address: plan.address.clone(),
        p2p_port: plan.ports.p2p,
        rpc_port: plan.ports.rpc,
        prometheus_port: plan.ports.prometheus,
        peer_id,
        validator,
        in_genesis,
        spec_hash: String::new(),
    })
}

fn answer(folder: &Path, network: &Network, plan: &Plan) -> Result<Answer> {
    let at = folder.display();
    let mut rows = Rows::new(&["host", "address", "makes blocks", "peer id"], "");
    for host in &network.host {
        let address = format!("{}:{}", host.address, host.p2p_port);
        let makes_blocks = crate::output::yes(host.validator.is_some());
        rows.push([host.name.clone(), address, makes_blocks, host.peer_id.clone()]);
    }
    let mut human = format!("{} is founded in {at}.\n\n{}\n", network.name, rows.finish());
    for advice in plan.advice() {
        human.push_str(&format!("\n{advice}"));
    }
    human.push_str(&format!(
        "\nNext:\n  stipend network check {at}\n  copy each folder of {at}/{HOSTS} to its host, over a channel you trust, and run its start.sh there\n  give the keys in {at}/{KEYS} to the people they are named after, and remove them here"
    ));
    Answer::new(json!({ "folder": folder, "network": network, "advice": plan.advice() }), human)
}

#[cfg(test)]
mod tests;
