//! Every call of the runtime was read by somebody who asked whether it can move an entitlement or a
//! credit from one owner to another. `tests/reviewed-calls.txt` holds the answers.

use std::collections::BTreeMap;

use frame_support::traits::GetCallMetadata;
use stipend_runtime::RuntimeCall;

const REVIEWED: &str = include_str!("../reviewed-calls.txt");

/// Words that no call of a non-transferable ledger begins or goes on with: what they stand for is not
/// here.
const FORBIDDEN: [&str; 14] = [
    "transfer", "send", "gift", "donate", "swap", "trade", "sell", "buy", "approve", "assign", "move",
    "lend", "sudo", "proxy",
];

/// The calls that the metadata lists, as `pallet.call`.
fn calls() -> Vec<String> {
    RuntimeCall::get_module_names()
        .iter()
        .flat_map(|pallet| {
            RuntimeCall::get_call_names(pallet).iter().map(move |call| format!("{pallet}.{call}"))
        })
        .collect()
}

/// Each reviewed call and why it moves nothing.
fn reviewed() -> BTreeMap<&'static str, &'static str> {
    let mut reviewed = BTreeMap::new();
    for line in REVIEWED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (call, reason) =
            line.split_once(": ").unwrap_or_else(|| panic!("no reason in the line {line:?}"));
        assert!(reason.len() > 8, "{call}: the reason says nothing");
        assert!(reviewed.insert(call, reason).is_none(), "{call} is listed twice");
    }
    reviewed
}

#[test]
fn every_call_was_reviewed() {
    let reviewed = reviewed();
    let unread: Vec<_> = calls().into_iter().filter(|call| !reviewed.contains_key(call.as_str())).collect();
    assert!(
        unread.is_empty(),
        "nobody has reviewed these calls; add a line each to runtime/tests/reviewed-calls.txt that says why \
         they cannot move an entitlement or a credit between owners: {unread:#?}"
    );
}

#[test]
fn no_review_is_of_a_call_that_is_gone() {
    let calls = calls();
    let gone: Vec<_> =
        reviewed().into_keys().filter(|call| !calls.iter().any(|found| found == call)).collect();
    assert!(
        gone.is_empty(),
        "the runtime has no such calls; take their lines out of runtime/tests/reviewed-calls.txt: {gone:#?}"
    );
}

#[test]
fn no_call_has_a_name_that_a_transfer_would_have() {
    for call in calls() {
        let name = call.split_once('.').unwrap().1;
        for word in FORBIDDEN {
            let named_so = name.split('_').any(|part| part.starts_with(word));
            assert!(!named_so, "{call} is named like something that moves value ({word})");
        }
    }
}

#[test]
fn the_metadata_lists_the_calls_that_were_checked() {
    assert!(calls().contains(&"Receipts.submit_batch".to_owned()));
    assert!(calls().len() > 40);
}
