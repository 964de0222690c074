//! `stipend network`: found a network of one's own, look after its hosts and its list of nodes.
//!
//! | module | does |
//! |---|---|
//! | [`plan`] | what is to be made, from flags or answers |
//! | [`ask`] | the questions |
//! | [`record`] | the public facts, kept in files |
//! | [`keys`] | keys and their files |
//! | [`spec`] | the chain specification, made by the node's program |
//! | [`genesis`] | what a raw specification says of keys |
//! | [`host`] | the folder that goes to a host |
//! | [`init`] | founds the network |
//! | [`add_host`] | one more host |
//! | [`check`] | what is wrong before anything starts |
//! | [`nodes`] | the chain's list of nodes |

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::{context::Context, output::Answer};

mod add_host;
mod ask;
mod check;
mod genesis;
mod host;
mod init;
mod keys;
mod nodes;
mod plan;
mod record;
mod spec;

/// Networks.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Found a network: keys, chain specification, and one folder per host, ready to copy. Asks for
    /// what is not given.
    Init(init::Init),
    /// Say what is wrong with a network's folder, or with the folder of one host, before it is started.
    Check {
        /// The folder that `init` made, or a host's folder in it.
        folder: PathBuf,
    },
    /// Make the folder of one more host. Its node key then has to get on the list (add-node).
    AddHost(add_host::AddHost),
    /// Show the nodes that the chain lists: no other is talked to.
    Nodes,
    /// Put a node on the chain's list (council).
    AddNode {
        /// The node's peer id (12D3KooW…), its public key in hex, or the folder of its host.
        #[arg(value_parser = nodes::node)]
        node: nodes::Node,
        /// What people call it; the host's name if a folder was given.
        #[arg(value_parser = crate::parse::name)]
        name: Option<stipend_sdk::primitives::Name>,
    },
    /// Take a node off the chain's list (council).
    RemoveNode {
        /// The node's peer id (12D3KooW…), its public key in hex, or the folder of its host.
        #[arg(value_parser = nodes::node)]
        node: nodes::Node,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Init(init) => init.run(context),
            Verb::Check { folder } => check::run(&folder),
            Verb::AddHost(add_host) => add_host.run(context),
            Verb::Nodes => nodes::list(context).await,
            Verb::AddNode { node, name } => nodes::add(context, node, name).await,
            Verb::RemoveNode { node } => nodes::remove(context, node).await,
        }
    }
}
