//! A command line for every verb, in an order in which they can be run. `{word}` stands for what the test knows by then.

/// A council of one.
const ALICE: &str = "--dev-key //Alice";
const HR: &str = "--key ../keys/hr";
const ADA: &str = "--key ../keys/ada";
const DIRECTORY: &str = "--directory people --passphrase-file secret";

/// What is done with a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// A dry run if it changes something, and then the real one.
    Both,
    /// Only the dry run, and why.
    Dry(&'static str),
    /// It never ends: its first line is looked at.
    FirstLine,
}

use Run::{Both, Dry, FirstLine};

/// The verb, its arguments, and who signs.
pub type Line = (&'static str, &'static str, &'static str, Run);

/// Chapters: within one, all dry runs come first.
pub const CHAPTERS: [&[Line]; 4] = [FILES_AND_COUNCIL, GRANTS, USE, END];

const FILES_AND_COUNCIL: &[Line] = &[
    // While the node still knows the first block's state.
    ("statement", "{ada} --year {year} --out ada.html", "", Both),
    ("man", "--out pages", "", Both),
    ("keys new", "new.key", "", Both),
    ("keys show", "", ADA, Both),
    ("keys node", "node.key", "", Both),
    ("profile list", "", "", Both),
    ("profile show", "desk", "", Both),
    ("profile check", "desk", "", Both),
    ("council members", "", "", Both),
    ("council propose-upgrade", "code.wasm", ALICE, Both),
    ("council note-stalled", "--delay 20", ALICE, Dry("finality goes on, and is to")),
    ("roles grant", "provider //Eve", ALICE, Both),
    ("roles list", "", "", Both),
    (
        "network init",
        "net --name Acme --validator a=10.0.0.1 --council ada=//Alice --issuer hr=//Bob",
        "",
        Both,
    ),
    ("network check", "net", "", Both),
    ("network add-node", "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp paris", ALICE, Both),
    ("network nodes", "", "", Both),
    ("validators add", "//Bob", ALICE, Both),
    ("validators list", "", "", Both),
    ("validators reinstate", "//Bob", ALICE, Dry("nobody is suspended; tests/consortium.rs has one who is")),
    ("validators export", "validators.json", "", Both),
    ("classes add", "9 Bio", ALICE, Both),
    ("classes list", "", "", Both),
    ("programs create", "Lab --class innovation --owner {hr} --budget 50", ALICE, Both),
    ("programs delegate", "0 Team --owner {ada} --budget 10", HR, Both),
    ("programs increase", "0 5", ALICE, Both),
    ("programs list", "", "", Both),
    ("baskets set", "7 Small --line 0:1", HR, Both),
    ("baskets list", "", "", Both),
    ("directory add", "Ada {ada} --number 7", DIRECTORY, Both),
    ("directory import", "more.csv", DIRECTORY, Both),
    ("directory list", "", DIRECTORY, Both),
    ("directory show", "ada", DIRECTORY, Both),
    ("directory export", "plain.csv", DIRECTORY, Both),
    ("prices publish", "prices.toml", ALICE, Both),
    ("prices show", "", "", Both),
    ("prices quote", "{model} --input 100 --output 20", "", Both),
    ("evidence trust", "--issuer https://issuer.example --period 300", ALICE, Both),
    ("evidence keys", "jwks.json", ALICE, Both),
    ("evidence ask", "render preferred", ALICE, Both),
    ("evidence show", "", "", Both),
    ("energy set", "render --joules 5000000 --joules-per-credit 250.5 --period 1d", ALICE, Both),
    ("energy show", "", "", Both),
    ("policies set", "1 contractor --class innovation:500 --validity 90d --keys 2", ALICE, Both),
    ("policies list", "", "", Both),
    ("policies assign", "//Charlie employee", HR, Both),
    ("policies show", "//Charlie", "", Both),
    ("merit kinds register", "commit --program 0 --award 1 --wallet-cap 5 --evaluator-cap 50 --sunset 2098-01-01 --from 2097-01-01", ALICE, Both),
    ("merit kinds list", "", "", Both),
    ("merit contests", "", "", Both),
    ("merit outcomes", "{ada}", "", Both),
    ("merit caps", "//Eve", "", Both),
    ("health", "", "", Both),
];

const GRANTS: &[Line] = &[
    (
        "council apply-upgrade",
        "code.wasm",
        ALICE,
        Dry("the file holds no runtime that runs; tests/upgrade.rs has one"),
    ),
    ("network add-host", "net --node b=10.0.0.2", "", Both),
    ("directory remove", "bo", DIRECTORY, Both),
    ("directory rekey", "--new-passphrase-file secret", DIRECTORY, Both),
    ("merit kinds announce", "commit --program 0 --award 2 --wallet-cap 5 --evaluator-cap 50 --sunset 2098-01-01 --from 2097-06-01", ALICE, Both),
    (
        "merit record",
        "commit {ada} --evidence {evidence} --purpose thesis",
        "--dev-key //Eve",
        Dry("no rule holds yet; tests/merit.rs records, withdraws and contests"),
    ),
    ("merit withdraw", "{evidence}", "--dev-key //Eve", Dry("nothing was recorded; tests/merit.rs has what was")),
    ("merit contest", "0 --reason {evidence}", ADA, Dry("nothing was recorded; tests/merit.rs has what was")),
    ("merit decide", "0 --overturn", ALICE, Dry("nothing is contested; tests/merit.rs has what was")),
    ("mint one", "{grace} --program 0 --amount 2", HR, Both),
    ("mint basket", "{grace} 7", HR, Both),
    ("mint csv", "starters.csv", HR, Both),
    ("mint plan monthly", "{grace} --program 0 --amount 1 --months 2 --from 2098-01-01", HR, Both),
    ("mint plan vesting", "{grace} --program 0 --amount 8 --months 4 --cliff 2 --from 2098-01-01", HR, Both),
    ("mint plan milestones", "{grace} --program 0 --award 2098-06-30:5", HR, Both),
    ("mint plan raise", "{grace} --program 0 --amount 3 --months 2 --from 2098-01-01", HR, Both),
    ("mint cosign", "large.json", "--dev-key //Bob", Both),
    ("mint carry", "small.json", "", Both),
    ("mint allowance", "", HR, Both),
    ("mint set-allowance", "{hr} --class innovation --amount 150000", ALICE, Both),
    ("api-keys create", "--model {model}", ADA, Both),
    ("providers register", "//Eve --attestation-key {key} --endpoint http://127.0.0.1:9", ALICE, Both),
    ("simulate", "--basket 7", "", Both),
];

const USE: &[Line] = &[
    (
        "network remove-node",
        "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
        ALICE,
        Dry("the last node stays on the list; tests/node_list.rs takes one off"),
    ),
    ("validators remove", "//Bob", ALICE, Both),
    ("api-keys list", "{ada}", "", Both),
    ("api-keys limits", "{hash} --credits-per-day 3", ADA, Both),
    ("api-keys revoke", "{hash}", ADA, Both),
    ("providers list", "", "", Both),
    ("providers set-endpoint", "http://127.0.0.1:10", "--dev-key //Eve", Both),
    ("providers set-grid-intensity", "//Eve 381", ALICE, Both),
    (
        "providers reinstate",
        "//Eve",
        ALICE,
        Dry("nobody is suspended; tests/hostile_providers.rs has one who is"),
    ),
    ("wallet show", "{ada}", "", Both),
    ("wallet watch", "{ada}", "", FirstLine),
    ("wallet export", "{ada} --out wallet.json", "", Both),
    ("wallet verify", "wallet.json --validators validators.json", "", Both),
    ("wallet sign-in", "{wallet_service}", ADA, Both),
    ("entitlements list", "{grace}", "", Both),
    ("entitlements show", "{entitlement}", "", Both),
    ("receipts show", "{gateway} 0", "", Both),
    ("receipts explain", "{gateway} 0", "", Both),
    ("receipts proof", "{gateway} 0", "", Both),
    ("receipts fetch", "{request} --gateway {gateway_url} --out signed.json", "", Both),
    ("receipts verify", "proof.json --validators validators.json", "", Both),
    ("settlement status", "{gateway} 0", "", Both),
    ("settlement pending", "", "", Both),
    ("settlement scores", "", "", Both),
    ("roles revoke", "provider //Eve", ALICE, Dry("Eve is a registered provider by now")),
    ("roles grant", "council //Bob", ALICE, Both),
];

const END: &[Line] = &[
    // Two have a seat now, so that this is proposed.
    ("classes add", "8 Later", ALICE, Both),
    ("council list", "", "", Both),
    ("council vote", "{proposal} yes", "--dev-key //Bob", Both),
    ("council close", "{proposal}", ALICE, Both),
    ("entitlements revoke", "{entitlement} --amount 0.5", HR, Both),
    ("give-back", "{entitlement} 0.5", "--key ../keys/grace", Both),
    ("freeze", "{linus}", HR, Both),
    ("offboard", "{linus}", HR, Both),
    ("validators rotate-keys", "", ALICE, Both),
];
