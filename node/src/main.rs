//! The Stipend node: consensus, network and JSON-RPC around the runtime.
//!
//! | module | does |
//! |---|---|
//! | [`cli`] | flags, and the defaults that differ from the SDK's |
//! | [`command`] | what each subcommand runs |
//! | [`chain_spec`] | which chains the node knows by name |
//! | [`service`] | ties client, pool, network, consensus and off-chain workers together |
//! | [`network`] | joins the network, closed to nodes that the chain does not list |
//! | [`counted_pool`] | counts what the transaction pool refuses |
//! | [`equivocation`] | reports validators that make two blocks in one slot |
//! | [`metrics`] | figures of the ledger for Prometheus |
//! | [`tasks`] | settlement's worker, authorship, finality |
//! | [`proposer`] | when a validator stops filling its block |
//! | [`block_bodies`] | hands block bodies to the settlement's off-chain worker |
//! | [`rpc`] | Stipend's JSON-RPC methods |

// The SDK's error types are large. They are returned once, when the node ends.
#![allow(clippy::result_large_err)]

use std::process::ExitCode;

mod block_bodies;
mod chain_spec;
mod cli;
mod command;
mod counted_pool;
mod equivocation;
mod metrics;
mod network;
mod proposer;
mod rpc;
mod service;
mod tasks;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
