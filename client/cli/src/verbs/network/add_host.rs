//! `stipend network add-host`: the folder of one more host.

use std::{fs, path::PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{
    host,
    init::{describe, Programs, HOSTS},
    plan::{with_ports, HostAt},
    record::{self, cannot, Network, NETWORK_FILE},
};
use crate::{context::Context, failure::Failure, output::Answer};

/// What to add.
#[derive(Args, Debug)]
pub(crate) struct AddHost {
    /// The network's folder.
    folder: PathBuf,
    /// A host that is to make blocks: NAME=ADDRESS[:PORT].
    #[arg(long, value_name = "NAME=ADDRESS", required_unless_present = "node", conflicts_with = "node")]
    validator: Option<HostAt>,
    /// A host that follows the chain and answers JSON-RPC: NAME=ADDRESS[:PORT].
    #[arg(long, value_name = "NAME=ADDRESS")]
    node: Option<HostAt>,
    #[command(flatten)]
    programs: Programs,
}

impl AddHost {
    pub(crate) fn run(self, context: &Context) -> Result<Answer> {
        let file = self.folder.join(NETWORK_FILE);
        let mut network: Network = record::read(&file)?;
        let spec = self.spec(&network)?;
        let is_validator = self.validator.is_some();
        let wanted = self.validator.or(self.node).ok_or_else(|| Failure::usage("name the host"))?;
        if network.host.iter().any(|host| host.name == wanted.name) {
            return Err(Failure::bad_input(format!(
                "there is a host {} already; choose another name",
                wanted.name
            ))
            .into());
        }
        let taken: Vec<_> = network.host.iter().map(|host| (host.address.clone(), host.ports())).collect();
        let plans = with_ports([(wanted, is_validator)], self.programs.first_ports(), &taken);
        let plan = plans.first().ok_or_else(|| Failure::usage("name the host"))?;
        let home = self.folder.join(HOSTS).join(&plan.name);
        context.would(json!({ "folder": home, "name": plan.name }), || {
            format!("a folder with new keys would be made for {} in {}", plan.name, home.display())
        })?;
        let mut added = describe(&self.folder, plan, false)?;
        added.spec_hash.clone_from(&network.spec_hash);
        host::write(&home, &added, &network.name, &spec)?;
        network.host.push(added.clone());
        record::write(&file, &network)?;
        let mut human = format!(
            "{} is in {}.\n\nNext, with the keys of council members, until the act is carried out:\n  stipend network add-node {}\nThen copy the folder to its host and run its start.sh there.",
            added.name,
            home.display(),
            home.display(),
        );
        if let Some(account) = &added.validator {
            human.push_str(&format!(
                "\nWhen it has caught up:\n  stipend validators add {account}\nand on the host itself, with the validator's key:\n  stipend validators publish-keys"
            ));
        }
        Answer::new(json!({ "folder": home, "host": added }), human)
    }

    /// The specification that every host has; taken from one of them.
    fn spec(&self, network: &Network) -> Result<Vec<u8>> {
        let mut last = None;
        for host in &network.host {
            let file = self.folder.join(HOSTS).join(&host.name).join(host::SPEC_FILE);
            match fs::read(&file) {
                Ok(spec) if hex::encode(sp_crypto_hashing::blake2_256(&spec)) == network.spec_hash => {
                    return Ok(spec)
                }
                Ok(_) => {}
                Err(error) => last = Some(cannot("read", &file, &error)),
            }
        }
        Err(last.unwrap_or_else(|| {
            Failure::bad_input(
                "no host's folder holds the network's chain specification any more; copy chain.json from a running host into one of them",
            )
            .into()
        }))
    }
}
