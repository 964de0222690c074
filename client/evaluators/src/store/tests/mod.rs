//! The journal, by behaviour.
#![allow(clippy::unwrap_used)]

mod awards;
mod merges;
mod reverts;

use stipend_primitives::{AccountId, ClassId, ModelId};
use stipend_sdk::{
    proof::{GatewayReceipt, SignedReceipt},
    Signer,
};
use tempfile::TempDir;

use super::*;
use crate::{
    config::MergeRule,
    forge::{Event, Forge, Kind, Mentions, Merged, Pushed},
    outcome::{Outcome, ReceiptId},
    report::Report,
    secret::Secret,
};

/// A minute in ms.
const MINUTE: u64 = 60_000;

/// When everything that is held is due.
const LATER: u64 = 1 << 50;

fn genesis() -> H256 {
    H256([7; 32])
}

fn wallet(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn id(number: u8) -> ReceiptId {
    ReceiptId([number; 16])
}

/// A receipt with this number's id, of this number's wallet.
fn receipt(number: u8, owner: u8) -> SignedReceipt {
    let signer = Signer::from_seed(&[3; 32]);
    let receipt = GatewayReceipt {
        format: Default::default(),
        id: id(number).0,
        genesis: genesis(),
        gateway: signer.account(),
        gateway_key: signer.public(),
        sequence: number.into(),
        wallet: wallet(owner),
        provider: wallet(200),
        model: ModelId(1),
        model_name: Some("llama".into()),
        time_ms: None,
        request_sha256: None,
        response_sha256: None,
        input: 10,
        cached_input: 0,
        output: 5,
        price_book: 1,
        class: ClassId(0),
        cost: 1_000,
        priority_fee: 0,
        held: None,
        batch: None,
        settlement: None,
    };
    receipt.sign(&signer).unwrap()
}

struct World {
    folder: TempDir,
    store: Store,
    forge: Forge,
    rule: MergeRule,
    deliveries: u32,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), genesis()).unwrap();
        let forge = Forge {
            name: "github".into(),
            kind: Kind::Github,
            secret: Secret::new("s"),
            repositories: vec!["acme/app".into()],
            branch: None,
            purpose: Some("billing".into()),
        };
        World { folder, store, forge, rule: MergeRule::default(), deliveries: 0 }
    }

    /// As after a restart.
    fn again(mut self) -> Self {
        drop(self.store);
        self.store = Store::open(self.folder.path(), genesis()).unwrap();
        self
    }

    fn hand_in(&mut self, number: u8, owner: u8) {
        self.store.hand_in(&receipt(number, owner)).unwrap();
    }

    /// A webhook of its own.
    fn take(&mut self, event: Event, now: u64) -> Taken {
        self.deliveries += 1;
        let mut body = [0; 32];
        body[..4].copy_from_slice(&self.deliveries.to_le_bytes());
        let delivery = Delivery { name: format!("d{}", self.deliveries), body };
        self.store.take(&self.forge, &delivery, &event, now).unwrap()
    }

    /// A pull request that was merged as one commit, and the push that brought it.
    fn merge(&mut self, number: u64, receipts: &[u8], now: u64) {
        let hash = hash(number);
        let said = Mentions { receipts: receipts.iter().map(|it| id(*it)).collect(), ..Mentions::default() };
        self.take(merged(number, Mentions::default()), now);
        self.take(pushed(&hash, vec![(hash.clone(), said)]), now);
    }

    /// Judges all that is due; what each earned by wallet and weight.
    fn judge(&mut self, now: u64) -> Vec<(String, Vec<(AccountId, u32)>)> {
        let mut all = Vec::new();
        while let Some(judged) = self.store.judge_due(&self.rule, 64, now).unwrap() {
            match judged {
                Judged::Awarded(it) => {
                    let earned = it.outcomes.into_iter().map(|it| (it.wallet, it.weight)).collect();
                    all.push((it.subject, earned));
                }
                Judged::Reverted(what) => all.push((what, vec![])),
            }
        }
        all
    }

    /// Everything that the ledger is told from here on, all of it taken.
    fn told(&mut self) -> Vec<(&'static str, AccountId)> {
        let mut told = Vec::new();
        while let Some(entry) = self.store.next_entry().unwrap() {
            match entry.act {
                Act::Record(outcome) => told.push(("record", outcome.wallet)),
                Act::Withdraw(revert) => {
                    let outcome = awards::outcome_of(&self.store, revert.evidence);
                    told.push(("withdraw", outcome.wallet));
                }
            }
            self.store.taken(entry.number).unwrap();
        }
        told
    }
}

/// The commit that a pull request became.
fn hash(number: u64) -> String {
    format!("{number:040x}")
}

fn merged(number: u64, mentions: Mentions) -> Event {
    Event::Merged(Merged {
        repository: "acme/app".into(),
        number,
        title: format!("Change {number}"),
        commit: hash(number),
        mentions,
    })
}

fn pushed(after: &str, commits: Vec<(String, Mentions)>) -> Event {
    Event::Pushed(Pushed { repository: "acme/app".into(), after: after.into(), is_forced: false, commits })
}

fn reverting(target: &str) -> Mentions {
    Mentions { reverts: vec![target.into()], ..Mentions::default() }
}

#[test]
fn a_journal_of_another_chain_is_refused() {
    let world = World::new();
    drop(world.store);
    let error = Store::open(world.folder.path(), H256([8; 32])).err().unwrap();
    assert!(error.to_string().contains("another `data_dir`"), "{error}");
}

#[test]
fn a_receipt_with_anothers_id_does_not_take_its_place() {
    let mut world = World::new();
    assert_eq!(world.store.hand_in(&receipt(1, 1)).unwrap(), HandedIn::New);
    assert_eq!(world.store.hand_in(&receipt(1, 1)).unwrap(), HandedIn::Known);
    assert_eq!(world.store.hand_in(&receipt(1, 2)).unwrap(), HandedIn::Contradicts);
    assert_eq!(world.store.unknown(&[id(1), id(2)]).unwrap(), [id(2)]);
}
