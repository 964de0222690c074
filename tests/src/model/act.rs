//! What can happen, in small numbers that the world reads in its own terms.

use proptest::prelude::*;

/// One thing that somebody does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub enum Act {
    /// A block ends and time passes.
    Pass {
        /// Milliseconds.
        ms: u64,
    },
    /// An issuer grants.
    Mint {
        /// Which of the ways to mint.
        way: u8,
        /// Who grants.
        issuer: u8,
        /// Who receives.
        owner: u8,
        /// From which program.
        program: u8,
        /// Micro-credits.
        amount: u32,
        /// Milliseconds until it expires.
        lasts: Option<u32>,
        /// Idempotency key, few, so that some come twice.
        once: u8,
    },
    /// The council or an owner moves budgets and templates.
    Budget {
        /// Which call.
        what: u8,
        /// Which program.
        program: u8,
        /// Micro-credits.
        amount: u32,
    },
    /// Something is taken, frozen, offboarded or given back.
    Take {
        /// Which call.
        what: u8,
        /// Who acts, or whose it is.
        who: u8,
        /// Which entitlement.
        id: u8,
        /// Micro-credits.
        amount: u32,
    },
    /// An owner's API keys.
    Key {
        /// Which call.
        what: u8,
        /// Whose.
        owner: u8,
        /// Which key.
        key: u8,
        /// For which gateway the first reservation is.
        gateway: u8,
        /// Micro-credits of it.
        amount: u32,
    },
    /// A gateway reserves or releases.
    Reserve {
        /// Whether it releases.
        release: bool,
        /// Who.
        gateway: u8,
        /// On whose wallets, and how much.
        rows: Vec<(u8, u8, u32)>,
        /// Milliseconds until it is over.
        lasts: u32,
    },
    /// A gateway submits a batch.
    Batch {
        /// Who.
        gateway: u8,
        /// What is wrong with it; most numbers: nothing.
        fault: u8,
        /// Receipts: owner, line, input, output, fee.
        receipts: Vec<(u8, u8, u16, u16, u16)>,
    },
    /// Validators vote.
    Vote {
        /// On which open item.
        item: u8,
        /// Bits: which validators.
        validators: u8,
        /// Which verdict.
        verdict: u8,
        /// Which share of the collected sum is refunded, in 1/8; above 8 too much.
        share: u8,
    },
    /// An evaluator records or withdraws an outcome, somebody contests one, or the council decides.
    Merit {
        /// Which call.
        what: u8,
        /// Who acts.
        who: u8,
        /// Whose wallet, which evidence, or which outcome.
        id: u8,
        /// How much of it.
        weight: u8,
    },
    /// The council governs.
    Govern {
        /// Which call.
        what: u8,
        /// About whom.
        who: u8,
    },
    /// All that follows happens on a fork that is abandoned; then a part of it again.
    Reorg {
        /// What happens on the fork.
        fork: Vec<Act>,
        /// Bits: which of its transactions are left out on the other branch.
        drop: u32,
    },
}

fn amount() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 8 => 1..50_000u32, 2 => 50_000..4_000_000u32]
}

fn plain() -> impl Strategy<Value = Act> {
    let small = || 0u8..16;
    prop_oneof![
        3 => (0u64..20_000).prop_map(|ms| Act::Pass { ms }),
        5 => (small(), small(), small(), small(), amount(), proptest::option::of(1..60_000u32), small()).prop_map(
            |(way, issuer, owner, program, amount, lasts, once)| {
                Act::Mint { way, issuer, owner, program, amount, lasts, once }
            }
        ),
        1 => (small(), small(), amount())
            .prop_map(|(what, program, amount)| Act::Budget { what, program, amount }),
        2 => (small(), small(), any::<u8>(), amount())
            .prop_map(|(what, who, id, amount)| Act::Take { what, who, id, amount }),
        2 => (small(), small(), small(), small(), amount())
            .prop_map(|(what, owner, key, gateway, amount)| Act::Key { what, owner, key, gateway, amount }),
        4 => (
            proptest::bool::weighted(0.2), small(),
            proptest::collection::vec((small(), small(), amount()), 1..6), 0..60_000u32,
        )
            .prop_map(|(release, gateway, rows, lasts)| Act::Reserve { release, gateway, rows, lasts }),
        6 => (
            small(), any::<u8>(),
            proptest::collection::vec((small(), small(), any::<u16>(), any::<u16>(), any::<u16>()), 1..12),
        )
            .prop_map(|(gateway, fault, receipts)| Act::Batch { gateway, fault, receipts }),
        6 => (any::<u8>(), any::<u8>(), small(), 0u8..10)
            .prop_map(|(item, validators, verdict, share)| Act::Vote { item, validators, verdict, share }),
        3 => (small(), small(), any::<u8>(), small())
            .prop_map(|(what, who, id, weight)| Act::Merit { what, who, id, weight }),
        1 => (small(), small()).prop_map(|(what, who)| Act::Govern { what, who }),
    ]
}

/// A history of up to `acts_max` acts, forks included.
pub fn history(acts_max: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => plain(),
        1 => (proptest::collection::vec(plain(), 1..10), any::<u32>())
            .prop_map(|(fork, drop)| Act::Reorg { fork, drop }),
    ];
    proptest::collection::vec(act, 1..acts_max)
}
