//! Every verb: what it changes, and what it answers with --json. Help and manual pages show it, and a test of the whole
//! command holds each verb against it.
//!
//! A shape names the fields of an object in braces, with `?` after one that may be missing; `[…]` is an array of such.

use clap::Command;
use serde_json::{json, Value};

/// What a verb changes. What changes something can be tried out with --dry-run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    /// Nothing: it looks.
    Nothing,
    /// The chain, by a call of the account that signs.
    Chain,
    /// The chain, as an act of the council.
    Council,
    /// Files of yours.
    Files,
    /// A service that it signs in to.
    Service,
}

use Changes::{Chain, Council, Files, Nothing, Service};

/// A verb without verbs of its own.
pub(crate) struct Entry {
    verb: &'static str,
    changes: Changes,
    shape: &'static str,
}

const fn entry(verb: &'static str, changes: Changes, shape: &'static str) -> Entry {
    Entry { verb, changes, shape }
}

/// Verbs that have no answer in JSON, each with the reason. It may only become shorter.
pub(crate) const WITHOUT_JSON: [(&str, &str); 1] =
    [("completions", "a shell reads what it prints, and a shell reads no JSON")];

const ENTITLEMENT: &str = "{id, owner, class, issuer, program, valid_from, valid_until, amounts: {granted, available, reserved, spent, expired, revoked}}";
const ENTITLEMENTS: &str = "[{id, owner, class, issuer, program, valid_from, valid_until, amounts: {granted, available, reserved, spent, expired, revoked}}]";
const MINTED: &str = "{owner, entitlements, idempotency_key}; with --detached {request, signature}";
const LIST: &str = "{rows, minted_now, minted_before, blocks, programs: [{program, amount}], progress}; with --detached [{request, signature}]";
const PERSON: &str = "{name, number, department, account}";
const RECEIPT: &str = "{verified, gateway, sequence, wallet, provider, model, input, cached_input, output, price_book, cost, priority_fee, digest, block_number, block_hash, root, validator_set?}";
const OUTCOMES: &str = "[{id, kind, wallet, weight, evidence, source, evaluator, rule, class, program, recorded_at, closes_at, earned, minted, entitlement, taken, lapsed, owed, standing, contest}]";
const SETTLEMENTS: &str = "[{item: {gateway, first_seq, provider}, last_seq, submitted_at, count, votes, quorum, settled, evidence}]";

/// Every verb, in the order of the command's help.
pub(crate) const ENTRIES: &[Entry] = &[
    entry("keys new", Files, "{address, public_key, file}"),
    entry("keys show", Nothing, "{address, public_key}"),
    entry("keys node", Files, "{peer_id, file}"),
    entry("profile list", Nothing, "{file, profiles: [{name, in_force, url?, chain?, key?, directory?, passphrase_file?, wallet_service?, gateway?}]}"),
    entry("profile show", Nothing, "{name, file, settings: [{setting, value, from}]}"),
    entry("profile check", Nothing, "{file, profiles, findings}"),
    entry("council members", Nothing, "[address]"),
    entry("council list", Nothing, "[{hash, index, approvals, yes, no, ends_at, call, act, arguments}]"),
    entry("council vote", Chain, "{proposal: {hash, index, approvals, yes, no, ends_at, call}}"),
    entry("council close", Chain, "{proposal, carried_out}"),
    entry("council propose-upgrade", Council, "{code_hash, bytes}"),
    entry("council note-stalled", Council, "{delay, best_finalized}"),
    entry("council apply-upgrade", Chain, "{code_hash, bytes, spec_version}"),
    entry("roles grant", Council, "{account, role, allowance}"),
    entry("roles revoke", Council, "{account, role}"),
    entry("roles list", Nothing, "[{role, account}]"),
    entry("network init", Files, "{folder, network, advice}"),
    entry("network check", Nothing, "{folder, findings}"),
    entry("network add-host", Files, "{folder, host}"),
    entry("network nodes", Nothing, "[{name, peer_id, key}]"),
    entry("network add-node", Council, "{peer_id, name}"),
    entry("network remove-node", Council, "{peer_id}"),
    entry("validators add", Council, "{account}"),
    entry("validators remove", Council, "{account}"),
    entry("validators reinstate", Council, "{account}"),
    entry("validators rotate-keys", Chain, "{account, session_keys}"),
    entry("validators list", Nothing, "[{account, in_set, makes_blocks, suspended, settlements_voted_on, settlements}]"),
    entry("validators export", Files, "{file, genesis, set_id, validators, fingerprint}"),
    entry("classes list", Nothing, "[{id, name, unattested}]"),
    entry("classes add", Council, "{id, name, unattested}"),
    entry("programs create", Council, "{program, budget}"),
    entry("programs delegate", Chain, "{program, budget}"),
    entry("programs increase", Council, "{program, amount}"),
    entry("programs list", Nothing, "[{id, owner, name, class, parent, budget, unminted, granted, delegated}]"),
    entry("baskets set", Chain, "{id, name, lines: [{program, amount, validity_ms}]}"),
    entry("baskets list", Nothing, "[{id, issuer, name, lines: [{program, amount, validity_ms}]}]"),
    entry("mint one", Chain, MINTED),
    entry("mint basket", Chain, MINTED),
    entry("mint csv", Chain, LIST),
    entry("mint plan monthly", Chain, LIST),
    entry("mint plan vesting", Chain, LIST),
    entry("mint plan milestones", Chain, LIST),
    entry("mint plan raise", Chain, LIST),
    entry("mint cosign", Files, "{requests, signed, file}"),
    entry("mint carry", Chain, "[{owner, entitlements, idempotency_key}]"),
    entry("mint allowance", Nothing, "{issuer, period_ends_at, large_mint, classes: [{class, name, allowance, minted, left}]}"),
    entry("mint set-allowance", Council, "{issuer, class, amount}"),
    entry("policies list", Nothing, "[{kind, name, policy}]"),
    entry("policies show", Nothing, "{owner, kind, beyond}"),
    entry("policies set", Council, "{kind, name, policy}"),
    entry("policies assign", Chain, "{owner, kind, name, beyond}"),
    entry("directory add", Files, PERSON),
    entry("directory list", Nothing, "[{name, number, department, account}]"),
    entry("directory show", Nothing, PERSON),
    entry("directory remove", Files, PERSON),
    entry("directory import", Files, "{added, people, directory}"),
    entry("directory export", Files, "{people, file}"),
    entry("directory rekey", Files, "{directory}"),
    entry("prices publish", Council, "{version, effective_at, models}"),
    entry("prices show", Nothing, "{version, effective_at, chargeable_until, models: [{model, name, class, premium, c_input, c_cached, c_output, c_model, weight, reference_input, reference_output}]}"),
    entry("prices quote", Nothing, "{book, class, premium, input, cached_input, output, model, cost, priority_fee}"),
    entry("api-keys create", Chain, "{key, hash, owner, limits}"),
    entry("api-keys list", Nothing, "[{hash, owner, limits}]"),
    entry("api-keys revoke", Chain, "{hash}"),
    entry("api-keys limits", Chain, "{hash, limits}"),
    entry("providers register", Council, "{account, key, endpoint}"),
    entry("providers list", Nothing, "[{account, key, endpoint, suspended, level, evidence}]"),
    entry("providers set-endpoint", Chain, "{endpoint}"),
    entry("providers set-grid-intensity", Council, "{account, mg_per_kwh}"),
    entry("providers reinstate", Council, "{account}"),
    entry("evidence show", Nothing, "{trust, classes, providers}"),
    entry("evidence trust", Council, "{trust}"),
    entry("evidence keys", Council, "{keys}"),
    entry("evidence ask", Council, "{class, policy}"),
    entry("energy show", Nothing, "[{class, name, budget, used_mj, held_mj, left_mj, period_ends_at}]"),
    entry("energy set", Council, "{class, budget}"),
    entry("merit kinds list", Nothing, "[{id, name, class, in_force, announced, outcomes, reverted, earned, minted, taken, lapsed}]"),
    entry("merit kinds register", Council, "{kind, name, rule, from}"),
    entry("merit kinds announce", Council, "{kind, name, rule, from}"),
    entry("merit record", Chain, "{outcome, evidence, earned, minted}"),
    entry("merit withdraw", Chain, "{outcomes, taken, owed}"),
    entry("merit contest", Chain, "{outcome, reason}"),
    entry("merit decide", Council, "{outcomes, stand}"),
    entry("merit contests", Nothing, OUTCOMES),
    entry("merit outcomes", Nothing, "{classes, outcomes: [{id, kind, wallet, weight, evidence, source, evaluator, rule, class, program, recorded_at, closes_at, earned, minted, entitlement, taken, lapsed, owed, standing, contest}]}"),
    entry("merit caps", Nothing, "[{kind, name, cap, awarded, left, period_ends_at}]"),
    entry("wallet show", Nothing, "{owner, finalised: [{class, name, amounts, reservations, expires_next, frozen}], finalised_at, pending, pending_at, usable_later}"),
    entry("wallet watch", Nothing, "{owner, finalised, finalised_at, pending, pending_at}, one line each time"),
    entry("wallet export", Files, "{file, owner, block_number, set_id}"),
    entry("wallet verify", Nothing, "{verified, owner, block_number, block_hash, time, balances, empty, validator_set}"),
    entry("wallet sign-in", Service, "{link, token, ends_at}"),
    entry("entitlements show", Nothing, ENTITLEMENT),
    entry("entitlements list", Nothing, ENTITLEMENTS),
    entry("entitlements revoke", Chain, "{id, amount}"),
    entry("receipts show", Nothing, "{gateway, first_seq, last_seq, submitted_at, batch_hash, receipts_root, charged, uncollected, providers, finalised}"),
    entry("receipts explain", Nothing, "{gateway, sequence, block, wallet, provider, model, digest, usage, price, settled, energy_mj, emitted_mg}"),
    entry("receipts proof", Nothing, "the proof, as docs/proofs.md describes it"),
    entry("receipts fetch", Files, "the gateway's receipt, as docs/proofs.md describes it, and {verified, agreesWithChain, file}"),
    entry("receipts verify", Nothing, RECEIPT),
    entry("settlement status", Nothing, SETTLEMENTS),
    entry("settlement pending", Nothing, SETTLEMENTS),
    entry("settlement scores", Nothing, "{providers, gateways}"),
    entry("freeze", Chain, "{owner, frozen}"),
    entry("offboard", Chain, "{owner}"),
    entry("give-back", Chain, "{id, amount}"),
    entry("statement", Files, "{year, account, person, genesis, block_number, time, classes, without_price, out}"),
    entry("simulate", Nothing, "{request, periods: [{book, from, until, classes}]}"),
    entry("health", Nothing, "{url, chain, genesis_hash, best, finalised, peers}; of a service {url, status}"),
    entry("man", Files, "{folder, pages, verbs: [{verb, changes, json}]}"),
];

/// What every call of its own answers with first.
const CALLED: &str = "block_number, block_hash, extrinsic_hash";

impl Entry {
    /// Whether the answer says in which block it happened; grants by signed requests name what they made instead.
    fn is_call(&self) -> bool {
        matches!(self.changes, Chain | Council)
            && (!self.verb.starts_with("mint ") || self.changes == Council)
    }

    /// The shape with what every call answers with.
    fn shape(&self) -> String {
        match self.shape.strip_prefix('{') {
            Some(rest) if self.is_call() => format!("{{{CALLED}, {rest}"),
            _ => self.shape.to_owned(),
        }
    }

    fn changes(&self) -> &'static str {
        match self.changes {
            Nothing => "nothing",
            Chain => "the chain",
            Council => "the chain (council)",
            Files => "files",
            Service => "a service",
        }
    }

    fn help(&self) -> String {
        let mut help = match self.changes {
            Nothing => String::new(),
            _ => format!("Changes {}; --dry-run says what it would do, and does nothing.\n", self.changes()),
        };
        help.push_str(&format!("In JSON: {}", self.shape()));
        if self.changes == Council {
            help.push_str(&format!(
                "; where others have to agree {{{CALLED}, proposal: {{hash, index, approvals, yes, no, ends_at, call}}}}"
            ));
        }
        help
    }
}

/// All of it, for programs.
pub(crate) fn json() -> Vec<Value> {
    let shown =
        |entry: &Entry| json!({ "verb": entry.verb, "changes": entry.changes(), "json": entry.shape() });
    ENTRIES.iter().map(shown).collect()
}

/// The command with what is said here in the help of every verb.
pub(crate) fn described(command: Command) -> Command {
    describe(command, "")
}

fn describe(mut command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    if names.is_empty() {
        return match ENTRIES.iter().find(|entry| entry.verb == path) {
            Some(entry) => command.after_help(entry.help()),
            None => match WITHOUT_JSON.iter().find(|(verb, _)| *verb == path) {
                Some((_, reason)) => command.after_help(format!("No JSON: {reason}.")),
                None => command,
            },
        };
    }
    for name in names {
        let below = below(path, &name);
        command = command.mut_subcommand(name, |verb| describe(verb, &below));
    }
    command
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path} {name}")
    }
}

/// The verbs without verbs of their own, in words, such as `mint one`.
#[cfg(test)]
pub(crate) fn leaves(command: &Command) -> Vec<String> {
    fn walk(command: &Command, path: &str, leaves: &mut Vec<String>) {
        if !command.has_subcommands() {
            leaves.push(path.to_owned());
        }
        for verb in command.get_subcommands() {
            walk(verb, &below(path, verb.get_name()), leaves);
        }
    }
    let mut leaves = Vec::new();
    walk(command, "", &mut leaves);
    leaves
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::args::Arguments;
    use clap::CommandFactory;

    #[test]
    fn every_verb_says_what_it_changes_and_answers_or_why_it_has_no_answer() {
        let leaves = leaves(&Arguments::command());
        for leaf in &leaves {
            let known = ENTRIES.iter().filter(|entry| entry.verb == leaf).count();
            let excused = WITHOUT_JSON.iter().filter(|(verb, _)| verb == leaf).count();
            assert_eq!(
                known + excused,
                1,
                "{leaf} stands {known} times here and {excused} among the excused"
            );
        }
        for verb in ENTRIES.iter().map(|entry| entry.verb).chain(WITHOUT_JSON.map(|(verb, _)| verb)) {
            assert!(leaves.iter().any(|leaf| leaf == verb), "there is no verb {verb} any more");
        }
    }

    #[test]
    fn verbs_without_json_only_become_fewer() {
        assert!(WITHOUT_JSON.len() <= 1, "a new verb answers in JSON too");
    }

    #[test]
    fn help_says_what_a_verb_changes_and_the_shape_of_its_answer() {
        let mut command = described(Arguments::command());
        let mut help = |path: &[&str]| {
            let verb = path.iter().fold(&mut command, |verb, name| verb.find_subcommand_mut(name).unwrap());
            verb.render_help().to_string()
        };
        let grant = help(&["roles", "grant"]);
        assert!(
            grant.contains("{block_number, block_hash, extrinsic_hash, account, role, allowance}"),
            "{grant}"
        );
        assert!(grant.contains("--dry-run says") && grant.contains("proposal"), "{grant}");
        let show = help(&["wallet", "show"]);
        assert!(show.contains("In JSON: {owner,") && !show.contains("--dry-run says"), "{show}");
    }
}
