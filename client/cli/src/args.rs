//! The command line.

use clap::{Parser, Subcommand};

use crate::{context::Options, verbs};

#[cfg(test)]
mod tests;

/// Entitlements to AI compute: grant them, use them, watch them.
#[derive(Debug, Parser)]
#[command(
    name = "stipend",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Amounts are in credits with up to six decimals; times are UTC.\n\
                  Exit codes: 0 done, 1 refused or failed, 2 wrong command line, 3 node not reachable, \
                  4 no such thing, 5 proof does not hold, 64 bad file or key."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Keys: make one, show one, make a node's.
    #[command(subcommand)]
    Keys(verbs::keys::Verb),
    /// What else would stand on every command line: node, key, directory, by name.
    #[command(subcommand)]
    Profile(verbs::profile::Verb),
    /// What the council decides: proposals, votes, upgrades.
    #[command(subcommand)]
    Council(verbs::council::Verb),
    /// Who may do what (council).
    #[command(subcommand)]
    Roles(verbs::roles::Verb),
    /// Found a network, check it, and look after its hosts and its list of nodes.
    #[command(subcommand)]
    Network(verbs::network::Verb),
    /// Who makes blocks (council).
    #[command(subcommand)]
    Validators(verbs::validators::Verb),
    /// What an entitlement can buy.
    #[command(subcommand)]
    Classes(verbs::classes::Verb),
    /// Budgets that entitlements are minted from.
    #[command(subcommand)]
    Programs(verbs::programs::Verb),
    /// Templates of several grants.
    #[command(subcommand)]
    Baskets(verbs::baskets::Verb),
    /// Grant entitlements (issuer).
    #[command(subcommand)]
    Mint(verbs::mint::Verb),
    /// What wallets of people who are not employees may hold: contractors, creators.
    #[command(subcommand)]
    Policies(verbs::policies::Verb),
    /// Which person an account is: HR's own encrypted file.
    #[command(subcommand)]
    Directory(verbs::directory::Verb),
    /// What models cost.
    #[command(subcommand)]
    Prices(verbs::prices::Verb),
    /// Keys for applications, bound to a wallet (owner).
    #[command(subcommand)]
    ApiKeys(verbs::api_keys::Verb),
    /// Who serves inference, and where its attestor answers.
    #[command(subcommand)]
    Providers(verbs::providers::Verb),
    /// The hardware behind providers' keys, and what classes ask of it.
    #[command(subcommand)]
    Evidence(verbs::evidence::Verb),
    /// How much energy the credits of a class may cost.
    #[command(subcommand)]
    Energy(verbs::energy::Verb),
    /// Outcomes that evaluators record, and what they earn.
    #[command(subcommand)]
    Merit(verbs::merit::Verb),
    /// What an account holds.
    #[command(subcommand)]
    Wallet(verbs::wallet::Verb),
    /// Single entitlements.
    #[command(subcommand)]
    Entitlements(verbs::entitlements::Verb),
    /// Receipts and the proof that they are on the chain.
    #[command(subcommand)]
    Receipts(verbs::receipts::Verb),
    /// How receipts were settled with providers.
    #[command(subcommand)]
    Settlement(verbs::settlement::Verb),
    /// Stop the use of an owner's wallets, or resume it (issuer).
    Freeze(verbs::owners::Freeze),
    /// Withdraw all of an owner's entitlements and keys, for good (issuer).
    Offboard(verbs::owners::Offboard),
    /// Give unused credits of an own entitlement back, for good (owner).
    GiveBack(verbs::owners::GiveBack),
    /// What an owner was granted and used in a year, on a page to print (owner, auditor; HR with a directory).
    Statement(verbs::statement::Statement),
    /// What a basket would have bought of each model.
    Simulate(verbs::simulate::Simulate),
    /// Ask a node or a service whether it is of use (containers' health checks).
    Health(verbs::health::Health),
    /// Completions for a shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages: one for each verb.
    Man(verbs::man::Pages),
}
