//! Options of every verb.

use std::path::PathBuf;

use clap::Args;
use sp_core::H256;

use crate::{parse, profile};

/// Options of every verb.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The profile of the configuration file to use (`stipend profile --help`): its settings are the defaults
    /// of the options below.
    #[arg(long, global = true, env = profile::NAME_VARIABLE, hide_env_values = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The node's RPC address.
    #[arg(
        long,
        global = true,
        env = "STIPEND_RPC_URL",
        hide_env_values = true,
        default_value = "ws://127.0.0.1:9944"
    )]
    pub(crate) url: String,
    /// Genesis hash of the chain that is meant: a node of another one is not spoken to.
    #[arg(
        long,
        global = true,
        env = "STIPEND_CHAIN",
        hide_env_values = true,
        value_name = "HASH",
        value_parser = parse::hash
    )]
    pub(crate) chain: Option<H256>,
    /// File of the key that signs: 64 hex digits, readable by its owner only.
    #[arg(long, global = true, env = "STIPEND_KEY_FILE", hide_env_values = true, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Sign with a development key that everybody has, such as //Alice, instead of the key file.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) dev_key: Option<String>,
    /// Do not wait for finality: read the newest block, and be content with one that holds the call. For
    /// the day when nothing becomes final any more; what is answered can still be undone.
    #[arg(long, global = true)]
    pub(crate) not_final: bool,
    /// The directory, which lets people be named where an account is asked for.
    #[arg(long, global = true, env = "STIPEND_DIRECTORY", hide_env_values = true, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// File with the directory's passphrase in its first line. Without it, STIPEND_DIRECTORY_PASSPHRASE is
    /// looked at, and then you are asked.
    #[arg(
        long,
        global = true,
        env = "STIPEND_DIRECTORY_PASSPHRASE_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Say what would be sent or written, and sign, send and write nothing.
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Answer in JSON: amounts are strings of micro-credits, times Unix milliseconds.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}
