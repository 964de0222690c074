//! The made-up chain takes transactions: a pool, blocks that carry them out, and what came of each.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use sp_core::H256;
use stipend_primitives::{
    mint::Grant,
    view::{ClassAllowance, IssuerAllowance},
    AccountId, BlockNumber, Credits, Role,
};
use stipend_sdk::{
    grant_list::Ledger as Issuing, DispatchFailure, PoolRefusal, Prepared, RuntimeCall, SubmitError, Unsigned,
};
use stipend_wallet::chain::BlockRef;

use super::{
    fake::{classes, Fake, Ledger},
    ledger::{carry_out, Failed},
};

/// Credits that an issuer may mint in a period.
pub const ALLOWANCE: Credits = 100_000_000_000_000;

/// A transaction as the pool has it.
#[derive(Clone)]
struct Waiting {
    signed: Prepared,
    call: RuntimeCall,
    seen: bool,
}

/// A transaction in a block.
#[derive(Clone)]
pub struct Carried {
    pub block: BlockNumber,
    pub account: AccountId,
    pub hash: H256,
    pub call: RuntimeCall,
    pub failed: Option<DispatchFailure>,
}

/// What was sent and what became of it.
#[derive(Default)]
pub struct Pool {
    waiting: Mutex<Vec<Waiting>>,
    carried: Mutex<Vec<Carried>>,
    /// The next ones are refused so.
    pub refuses: Mutex<Option<PoolRefusal>>,
}

impl Fake {
    /// Makes blocks of what waits, each first seen and a step later final, until the last handle is gone.
    pub fn produce(self: &Arc<Self>, step: Duration) {
        let fake = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(step).await;
                let Some(fake) = fake.upgrade() else { return };
                fake.step();
            }
        });
    }

    /// What was seen becomes final; what waits is seen.
    pub fn step(&self) {
        let final_ones: Vec<Waiting> = {
            let mut waiting = self.pool.waiting.lock();
            let final_ones = waiting.iter().filter(|one| one.seen).cloned().collect();
            waiting.retain(|one| !one.seen);
            waiting.iter_mut().for_each(|one| one.seen = true);
            final_ones
        };
        for one in final_ones {
            let (block, before) = self.head();
            let mut ledger = Ledger::clone(&before);
            let account = one.signed.account.clone();
            let is_issuer =
                self.roles.lock().get(&account).is_some_and(|roles| roles.contains(&Role::Issuer));
            let moment = block.moment.max(super::fake::BEGIN_MS) + 1_000;
            let (acts, failed) = match carry_out(&mut ledger, &account, is_issuer, moment, &one.call) {
                Ok(acts) => (acts, None),
                Err(Failed(error)) => {
                    ledger = Ledger::clone(&before);
                    let failure = DispatchFailure {
                        pallet: "Entitlements".into(),
                        error: error.into(),
                        explanation: "made up".into(),
                    };
                    (vec![], Some(failure))
                }
            };
            // Noted first: whoever sees the block finds its transaction.
            self.pool.carried.lock().push(Carried {
                block: block.at.number + 1,
                account,
                hash: one.signed.hash,
                call: one.call,
                failed,
            });
            self.push(moment, acts, ledger);
        }
    }

    /// What blocks carried out, in order.
    pub fn carried(&self) -> Vec<Carried> {
        self.pool.carried.lock().clone()
    }

    pub fn nonce(&self, account: &AccountId, at: BlockNumber) -> u32 {
        let carried = self.pool.carried.lock();
        carried.iter().filter(|one| one.account == *account && one.block <= at).count() as u32
    }

    pub fn unsigned_for(&self, call: RuntimeCall, account: AccountId, as_of: BlockRef) -> Unsigned {
        Unsigned {
            nonce: self.nonce(&account, as_of.number),
            account,
            call,
            birth: as_of.number,
            birth_hash: as_of.hash,
            genesis: super::fake::at(0).hash,
            spec_version: 1,
        }
    }

    pub fn take(&self, signed: &Prepared) -> Result<(), SubmitError> {
        if let Some(refusal) = self.pool.refuses.lock().clone() {
            return Err(refusal.into());
        }
        let next = self.nonce(&signed.account, BlockNumber::MAX);
        if signed.nonce < next {
            return Err(PoolRefusal::Stale.into());
        }
        let mut waiting = self.pool.waiting.lock();
        let same = |one: &&Waiting| one.signed.account == signed.account && one.signed.nonce == signed.nonce;
        match waiting.iter().find(same) {
            Some(one) if one.signed.hash == signed.hash => Ok(()),
            Some(_) => Err(PoolRefusal::NonceTaken.into()),
            None => {
                let call = signed.call().unwrap();
                waiting.push(Waiting { signed: signed.clone(), call, seen: false });
                Ok(())
            }
        }
    }

    pub async fn decided(
        &self,
        signed: &Prepared,
        in_block: impl FnOnce(BlockNumber) + Send,
    ) -> Result<BlockNumber, SubmitError> {
        let mut tell = Some(in_block);
        loop {
            let found = self.pool.carried.lock().iter().find(|one| one.hash == signed.hash).cloned();
            if let Some(one) = found {
                let at = super::fake::at(one.block);
                return match one.failed {
                    Some(failure) => Err(SubmitError::Failed { failure, at }),
                    None => Ok(one.block),
                };
            }
            let seen = self.pool.waiting.lock().iter().any(|one| one.signed.hash == signed.hash && one.seen);
            if seen {
                if let Some(tell) = tell.take() {
                    tell(self.height().number + 1);
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn issuing_of(&self, issuer: AccountId) -> Issuing {
        let is_issuer = self.roles.lock().get(&issuer).is_some_and(|roles| roles.contains(&Role::Issuer));
        let rows = classes().into_iter().map(|(class, known)| ClassAllowance {
            class,
            name: known.name,
            allowance: ALLOWANCE,
            minted: 0,
            left: ALLOWANCE,
        });
        let allowance = is_issuer.then(|| IssuerAllowance {
            period_ends_at: super::fake::BEGIN_MS + 86_400_000,
            large_mint: 10_000_000_000,
            classes: rows.collect(),
        });
        Issuing::new(issuer, allowance, self.head().1.programs.clone(), vec![])
    }
}

/// The grants of a call.
pub fn grants_of(call: &RuntimeCall) -> Vec<(AccountId, Grant)> {
    use stipend_sdk::pallet_entitlements::Call;
    match call {
        RuntimeCall::Entitlements(Call::mint_many { grants }) => grants.to_vec(),
        RuntimeCall::Entitlements(Call::mint { owner, grant }) => vec![(owner.clone(), grant.clone())],
        _ => vec![],
    }
}
