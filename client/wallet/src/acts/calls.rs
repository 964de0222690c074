//! Acts as calls of the chain.

use codec::DecodeAll;
use stipend_primitives::mint::Grant;
use stipend_sdk::{
    pallet_entitlements::{Call, Grants},
    RuntimeCall,
};

use super::{account, Act, Wrong};

impl Act {
    /// The call that carries the act out.
    pub fn call(&self) -> Result<RuntimeCall, Wrong> {
        let whose = |text: &str| account(text).map_err(Wrong);
        let call = match self {
            Act::RegisterKey { hash, limits } => {
                Call::register_key { hash: *hash, limits: limits.clone(), reserve: None }
            }
            Act::SetLimits { hash, limits } => Call::set_limits { hash: *hash, limits: limits.clone() },
            Act::RevokeKey { hash } => Call::revoke_key { hash: *hash },
            Act::GiveBack { entitlement, amount } => Call::give_back { id: *entitlement, amount: *amount },
            Act::Grant { owner, program, amount, valid_from, valid_until } => {
                let grant = Grant::One {
                    program: *program,
                    amount: *amount,
                    valid_from: *valid_from,
                    valid_until: *valid_until,
                };
                Call::mint { owner: whose(owner)?, grant }
            }
            Act::GrantMany { grants, .. } => Call::mint_many { grants: read_grants(grants)? },
            Act::Revoke { entitlement, amount } => Call::revoke { id: *entitlement, amount: *amount },
            Act::Freeze { owner, frozen } => Call::freeze { owner: whose(owner)?, frozen: *frozen },
            Act::Offboard { owner } => Call::offboard { owner: whose(owner)? },
        };
        Ok(call.into())
    }
}

/// The grants of a chunk, as the check of a list wrote them.
pub fn read_grants(text: &str) -> Result<Grants, Wrong> {
    let wrong = || Wrong::new("`grants` is no chunk of a list; take it from the answer to the list's check.");
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| wrong())?;
    let grants = Grants::decode_all(&mut &bytes[..]).map_err(|_| wrong())?;
    if grants.is_empty() {
        return Err(wrong());
    }
    Ok(grants)
}

/// Whether a call is one that an act makes: nothing else is carried.
pub fn is_an_act(call: &RuntimeCall) -> bool {
    matches!(
        call,
        RuntimeCall::Entitlements(
            Call::register_key { reserve: None, .. }
                | Call::set_limits { .. }
                | Call::revoke_key { .. }
                | Call::give_back { .. }
                | Call::mint { .. }
                | Call::mint_many { .. }
                | Call::revoke { .. }
                | Call::freeze { .. }
                | Call::offboard { .. }
        )
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use codec::Encode;
    use serde_json::json;
    use sp_core::crypto::Ss58Codec;
    use stipend_primitives::AccountId;

    fn read(value: serde_json::Value) -> Act {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_act_makes_a_call_that_is_carried() {
        let owner = AccountId::new([7; 32]).to_ss58check();
        let hash = format!("0x{}", "11".repeat(32));
        let limits = serde_json::to_value(stipend_primitives::key::KeyLimits::default()).unwrap();
        let grants = vec![(AccountId::new([7; 32]), Grant::Basket { basket: 1 })];
        let chunk = format!("0x{}", hex::encode(Grants::truncate_from(grants).encode()));
        for act in [
            json!({ "register_key": { "hash": hash, "limits": limits } }),
            json!({ "set_limits": { "hash": hash, "limits": limits } }),
            json!({ "revoke_key": { "hash": hash } }),
            json!({ "give_back": { "entitlement": 1, "amount": "5" } }),
            json!({ "grant": { "owner": owner, "program": 0, "amount": "5", "valid_until": 9 } }),
            json!({ "grant_many": { "grants": chunk, "after": 4 } }),
            json!({ "revoke": { "entitlement": 1 } }),
            json!({ "revoke": { "entitlement": 1, "amount": "5" } }),
            json!({ "freeze": { "owner": owner, "frozen": true } }),
            json!({ "offboard": { "owner": owner } }),
        ] {
            assert!(is_an_act(&read(act.clone()).call().unwrap()), "{act}");
        }
    }

    #[test]
    fn what_is_no_act_is_not_carried() {
        let remark = frame_system::Call::remark { remark: vec![] };
        assert!(!is_an_act(&remark.into()));
        let budget = Call::increase_budget { program: 0, amount: 1 };
        assert!(!is_an_act(&budget.into()));
        let owner = read(json!({ "offboard": { "owner": "5nobody" } }));
        assert!(owner.call().unwrap_err().0.contains("is not an account"));
        for grants in ["0x", "0x00", "zz", "0x04"] {
            assert!(read_grants(grants).is_err(), "{grants}");
        }
    }
}
