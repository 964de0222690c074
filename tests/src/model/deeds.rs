//! What HR, owners, gateways and the council do: each act as a call of its signer.

use pallet_roles::Misconduct;
use pallet_settlement::BurntKeys;
use sp_core::{bounded::BoundedVec, ed25519, Pair, H256};
use stipend_primitives::{
    energy::EnergyBudget,
    mint::{Grant, MintRequest},
    policy::{Policy, Terms},
    AccountId, ClassId, Credits, Role,
};
use stipend_runtime::{Entitlements, Roles, Runtime, RuntimeCall, System};

use super::world::{World, CLASSES};
use crate::company::{name, prices};

impl World {
    #[allow(clippy::too_many_arguments)] // The fields of one act.
    pub(super) fn mint(
        &mut self,
        way: u8,
        issuer: u8,
        owner: u8,
        program: u8,
        amount: u32,
        lasts: Option<u32>,
        once: u8,
    ) {
        let issuer = self.issuers[usize::from(issuer) % self.issuers.len()];
        let owner = World::account(&self.owners[usize::from(owner) % self.owners.len()]);
        let program = u32::from(program) % self.programs.len() as u32;
        let now = pallet_timestamp::Now::<Runtime>::get();
        let valid_until = lasts.map(|ms| now + u64::from(ms));
        let one = Grant::One { program, amount: amount.into(), valid_from: None, valid_until };
        let account = World::account(&issuer);
        let (signer, call) = match way % 5 {
            0 | 1 => (Some(account), pallet_entitlements::Call::mint { owner, grant: one }),
            2 => {
                let grants =
                    vec![(owner, one), (World::account(&self.owners[0]), Grant::Basket { basket: 1 })];
                (
                    Some(account),
                    pallet_entitlements::Call::mint_many { grants: BoundedVec::truncate_from(grants) },
                )
            }
            3 => {
                let request = MintRequest { issuer: account, idempotency_key: [once; 16], owner, grant: one };
                let signature = issuer.sign(&request.signing_payload(&self.genesis())).0;
                (None, pallet_entitlements::Call::mint_signed { request, signature, cosignature: None })
            }
            _ => {
                let lines = vec![(program, Credits::from(amount), lasts.map(u64::from))];
                let call = pallet_entitlements::Call::set_basket {
                    id: 1,
                    name: name("Basket").expect("six bytes fit"),
                    lines: BoundedVec::truncate_from(lines),
                };
                (Some(account), call)
            }
        };
        let _ = self.dispatch(signer, call.into());
    }

    pub(super) fn budget(&mut self, what: u8, program: u8, amount: u32) {
        let program = u32::from(program) % self.programs.len() as u32;
        let amount = Credits::from(amount);
        let council = World::account(&self.council);
        let owner = World::account(&self.issuers[program as usize % 2]);
        let (signer, call) = match what % 7 {
            0 => {
                let class = CLASSES[program as usize % CLASSES.len()];
                let name = name("More").expect("four bytes fit");
                (council, pallet_entitlements::Call::create_program { name, class, owner, budget: amount })
            }
            1 => (council, pallet_entitlements::Call::increase_budget { program, amount }),
            2 => {
                let name = name("Team").expect("four bytes fit");
                let to = World::account(&self.issuers[(program as usize + 1) % 2]);
                (
                    owner,
                    pallet_entitlements::Call::delegate_program {
                        parent: program,
                        name,
                        owner: to,
                        budget: amount,
                    },
                )
            }
            3 => {
                // Mostly little enough to be used up.
                let class = CLASSES[program as usize % CLASSES.len()];
                let amount = (amount > 100).then_some(amount);
                (council, pallet_entitlements::Call::set_mint_allowance { issuer: owner, class, amount })
            }
            4 => {
                // Some cover little, some everything, and sometimes there is none.
                let class = CLASSES[program as usize % CLASSES.len()];
                let budget = (amount > 0).then_some(EnergyBudget {
                    period_ms: 30_000,
                    millijoules_max: amount,
                    mj_per_credit: 300_000,
                });
                (council, pallet_entitlements::Call::set_energy_budget { class, budget })
            }
            5 => (council, policy(program, amount)),
            _ => {
                let call = pallet_entitlements::Call::register_class {
                    id: ClassId(100 + program as u16),
                    name: name(&format!("Class {program}")).expect("few bytes fit"),
                    unattested: Default::default(),
                };
                (council, call)
            }
        };
        let _ = self.dispatch(Some(signer), call.into());
    }

    pub(super) fn take(&mut self, what: u8, who: u8, id: u8, amount: u32) {
        let issuer = World::account(&self.issuers[usize::from(who) % 2]);
        let owner = World::account(&self.owners[usize::from(who) % self.owners.len()]);
        let (id, amount) = (u64::from(id) % 40, Credits::from(amount));
        // Mostly the one whose it is: somebody else is refused.
        let holder = Entitlements::entitlement(id).map(|it| it.owner).filter(|_| !who.is_multiple_of(4));
        let (signer, call) = match what {
            0..=4 => (issuer, pallet_entitlements::Call::revoke { id, amount: (what < 3).then_some(amount) }),
            5..=7 => (issuer, pallet_entitlements::Call::freeze { owner, frozen: what == 5 }),
            8 => (issuer, pallet_entitlements::Call::offboard { owner }),
            9..=11 => (issuer, pallet_entitlements::Call::set_kind { owner, kind: (amount % 3) as u16 }),
            _ => (holder.unwrap_or(owner), pallet_entitlements::Call::give_back { id, amount }),
        };
        let _ = self.dispatch(Some(signer), call.into());
    }

    pub(super) fn key(&mut self, what: u8, owner: u8, key: u8, gateway: u8, amount: u32) {
        let hash = H256::repeat_byte(key % 8);
        // Mostly the one whose it is: somebody else is refused.
        let holder = Entitlements::api_key(hash).map(|it| it.owner).filter(|_| !owner.is_multiple_of(4));
        let owner =
            holder.unwrap_or_else(|| World::account(&self.owners[usize::from(owner) % self.owners.len()]));
        let gateway = World::account(self.gateway(gateway));
        let rows = vec![(CLASSES[usize::from(key) % CLASSES.len()], Credits::from(amount))];
        let call = match what % 4 {
            0 | 1 => pallet_entitlements::Call::register_key {
                hash,
                limits: Default::default(),
                reserve: (what > 7).then(|| (gateway, BoundedVec::truncate_from(rows))),
            },
            2 => pallet_entitlements::Call::revoke_key { hash },
            _ => pallet_entitlements::Call::set_limits { hash, limits: Default::default() },
        };
        let _ = self.dispatch(Some(owner), call.into());
    }

    pub(super) fn reserve(&mut self, release: bool, gateway: u8, rows: &[(u8, u8, u32)], lasts: u32) {
        let gateway = World::account(self.gateway(gateway));
        let rows = rows
            .iter()
            .map(|(owner, class, amount)| {
                let owner = World::account(&self.owners[usize::from(*owner) % self.owners.len()]);
                (owner, CLASSES[usize::from(*class) % CLASSES.len()], Credits::from(*amount))
            })
            .collect::<Vec<_>>();
        let rows = BoundedVec::truncate_from(rows);
        let expires_at = pallet_timestamp::Now::<Runtime>::get() + u64::from(lasts);
        let call = if release {
            pallet_entitlements::Call::release { rows }
        } else {
            pallet_entitlements::Call::reserve_many { rows, expires_at }
        };
        let _ = self.dispatch(Some(gateway), call.into());
    }

    pub(super) fn govern(&mut self, what: u8, who: u8) {
        let council = World::account(&self.council);
        let provider = &{ self.providers[usize::from(who) % 2] };
        let stranger = AccountId::new([200 + who % 2; 32]);
        let endpoint = || BoundedVec::truncate_from(b"http://127.0.0.1:9".to_vec());
        let (signer, call): (_, RuntimeCall) = match what {
            0 => (
                council,
                pallet_roles::Call::grant_role { who: stranger, role: Role::Auditor, allowance: Some(3) }
                    .into(),
            ),
            1 => (council, pallet_roles::Call::revoke_role { who: stranger, role: Role::Auditor }.into()),
            2 => (council, pallet_roles::Call::add_validator { who: stranger }.into()),
            3 => (council, pallet_roles::Call::remove_validator { who: stranger }.into()),
            4 => (council, pallet_pricing::Call::publish { entries: prices() }.into()),
            5 => {
                let effective_at = System::block_number() + 5;
                (council, pallet_pricing::Call::schedule { entries: prices(), effective_at }.into())
            }
            7 => {
                let (who, mg_per_kwh) = (World::account(provider), Some(400_000));
                (council, pallet_settlement::Call::set_grid_intensity { who, mg_per_kwh }.into())
            }
            6 | 8 => {
                let call = pallet_settlement::Call::register_provider {
                    who: World::account(provider),
                    key: attestation_key(provider).public().0,
                    endpoint: endpoint(),
                };
                (council, call.into())
            }
            9 => (
                World::account(provider),
                pallet_settlement::Call::set_endpoint { endpoint: endpoint() }.into(),
            ),
            10 | 11 => (council, self.equivocation(provider)),
            12 | 13 => {
                let (who, key) = (World::account(provider), attestation_key(provider).public().0);
                let register = pallet_settlement::Call::register_provider {
                    who: who.clone(),
                    key,
                    endpoint: endpoint(),
                };
                // Refused where it has no role: then the next one is too.
                let _ = self.dispatch(Some(council.clone()), register.into());
                (council, pallet_settlement::Call::reinstate_provider { who }.into())
            }
            14 => {
                let bob = World::account(&self.validators[1]);
                Roles::punish(&bob, Misconduct::TwoBlocks);
                (council, pallet_roles::Call::reinstate_validator { who: bob }.into())
            }
            // Nobody but the council governs.
            _ => {
                let nobody = World::account(&self.owners[0]);
                let call: RuntimeCall = pallet_roles::Call::grant_role {
                    who: nobody.clone(),
                    role: Role::Issuer,
                    allowance: None,
                }
                .into();
                assert!(self.dispatch(Some(nobody), call).is_err(), "an owner granted a role");
                return;
            }
        };
        let _ = self.dispatch(Some(signer), call);
    }

    /// Two statements of one provider about one range.
    fn equivocation(&self, provider: &ed25519::Pair) -> RuntimeCall {
        use stipend_primitives::attestation::{Attestation, SignedAttestation};
        let say = |count: u32| {
            let attestation = Attestation {
                provider: World::account(provider),
                gateway: World::account(&self.gateways[0]),
                first_seq: 0,
                last_seq: 9,
                count,
                input: 0,
                cached_input: 0,
                output: 0,
                root: H256::zero(),
                gpu_time_ms: None,
                energy_mj: None,
            };
            let key = attestation_key(provider);
            let signature = key.sign(&attestation.signing_payload(&self.genesis())).0;
            Box::new(SignedAttestation { attestation, signature })
        };
        pallet_settlement::Call::report_equivocation { a: say(1), b: say(2) }.into()
    }
}

/// One of two kinds of wallet, and a policy that mostly permits something.
fn policy(program: u32, amount: Credits) -> pallet_entitlements::Call<Runtime> {
    let terms = |class| Terms { class, holding_max: amount * 4 };
    let mut classes: Vec<Terms> = CLASSES.into_iter().take(program as usize % 3 + 1).map(terms).collect();
    classes.sort_by_key(|terms| terms.class);
    pallet_entitlements::Call::set_policy {
        kind: 1 + (amount % 2) as u16,
        name: name("Contractor").expect("ten bytes fit"),
        policy: Policy {
            classes: BoundedVec::truncate_from(classes),
            validity_ms_max: (!amount.is_multiple_of(5)).then_some(40_000),
            keys_max: program % 3,
        },
    }
}

/// The key that a provider signs with: another one each time that the one before was burnt.
fn attestation_key(provider: &ed25519::Pair) -> ed25519::Pair {
    let burnt = BurntKeys::<Runtime>::iter_prefix(World::account(provider)).count();
    match burnt {
        0 => *provider,
        count => ed25519::Pair::from_seed(&[count as u8; 32]),
    }
}
