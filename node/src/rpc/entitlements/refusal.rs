//! Why a mint request is refused, in words: with everything that the pool's one byte cannot say.

use jsonrpsee::types::ErrorObjectOwned;
use sc_transaction_pool_api::error::Error as PoolError;
use scale_info::{form::MetaForm, TypeDef, TypeInfo, Variant};
use sp_api::{Core, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::{Bytes, H256};
use sp_runtime::transaction_validity::InvalidTransaction;
use stipend_primitives::{
    mint::{Cosignature, Grant, MintRequest},
    signing,
    view::IssuerAllowance,
    AccountId, ClassId, Credits, EntitlementId, Signature, MICRO_CREDITS_PER_CREDIT,
};
use stipend_rpc::{
    error::{error, error_with, Code},
    Exhausted, Large,
};
use stipend_runtime::{Runtime, VERSION};
use stipend_runtime_api::EntitlementsApi;

use super::{runtime, Answer, Chain, Signed};

/// The errors that a refused mint names by number: those of the runtime that this node was built
/// with, if it is the one that the chain runs.
fn mint_errors(chain: &Chain) -> Answer<Option<Vec<Variant<MetaForm>>>> {
    let version = runtime(chain.client.runtime_api().version(chain.best().hash))?;
    if version.spec_version != VERSION.spec_version {
        return Ok(None);
    }
    Ok(match pallet_entitlements::Error::<Runtime>::type_info().type_def {
        TypeDef::Variant(errors) => Some(errors.variants),
        _ => None,
    })
}

pub(super) fn read_signature(bytes: &Bytes) -> Answer<Signature> {
    Signature::try_from(bytes.0.as_slice()).map_err(|_| {
        error(
            Code::InvalidParameter,
            format!(
                "The signature has {} bytes. Send the 64 bytes of an ed25519 signature as `0x` and 128 hex digits.",
                bytes.0.len()
            ),
        )
    })
}

/// Refuses signatures that are not what they say, and a second one of the first issuer.
pub(super) fn check_signatures(signed: &Signed, genesis: &H256) -> Answer<()> {
    let Signed { request, signature, cosignature } = signed;
    let payload = request.signing_payload(genesis);
    check_signature(&payload, "signature", &request.issuer, signature, genesis)?;
    let Some(Cosignature { issuer, signature }) = cosignature else { return Ok(()) };
    if *issuer == request.issuer {
        return Err(error(
            Code::InvalidParameter,
            format!(
                "The second signature is of {issuer}, who signed first. Have another issuer sign, or leave it \
                 away where the grant is small enough for one."
            ),
        ));
    }
    check_signature(&payload, "second signature", issuer, signature, genesis)
}

fn check_signature(
    payload: &[u8; 32],
    which: &str,
    signer: &AccountId,
    signature: &Signature,
    genesis: &H256,
) -> Answer<()> {
    if signing::verify(payload, signature, signer.as_ref()) {
        return Ok(());
    }
    Err(error_with(
        Code::BadSignature,
        format!(
            "The {which} is not {signer}'s over this request. Sign the 32 bytes given in `data`, which stand \
             for this request on the chain with genesis {genesis:?}, with the ed25519 key of that account."
        ),
        sp_core::bytes::to_hex(payload, false),
    ))
}

pub(super) fn not_issuer(issuer: &AccountId) -> ErrorObjectOwned {
    error(
        Code::NotIssuer,
        format!(
            "{issuer} is not an issuer, so it cannot mint. Sign with an issuer's key, or have the council grant \
             the role `issuer` to this account."
        ),
    )
}

pub(super) fn already_minted(request: &MintRequest, entitlements: Vec<EntitlementId>) -> ErrorObjectOwned {
    error_with(
        Code::AlreadyMinted,
        format!(
            "The idempotency key {} was used before, so nothing was minted now. The entitlements of the first \
             request are in `data`; for another grant take a new key.",
            sp_core::bytes::to_hex(&request.idempotency_key, false)
        ),
        entitlements,
    )
}

/// What a person can do about the refusal of a well signed request.
pub(super) fn explain(chain: &Chain, signed: &Signed, refusal: &PoolError) -> Answer<ErrorObjectOwned> {
    let errors = mint_errors(chain)?;
    if may_be_about_limits(refusal, errors.as_deref()) {
        let (best, api) = (chain.best().hash, chain.client.runtime_api());
        let allowance = runtime(api.mint_allowance(best, signed.request.issuer.clone()))?;
        let totals = runtime(api.grant_totals(best, signed.request.grant.clone()))?;
        if let Some((allowance, totals)) = allowance.zip(totals) {
            check_large(signed, &totals, &allowance, &chain.client.info().genesis_hash)?;
            check_allowance(&signed.request.issuer, &totals, &allowance)?;
        }
    }
    Ok(refused(refusal, errors.as_deref()))
}

/// Whether the limits on minting are the reason, as far as the pool's answer tells.
fn may_be_about_limits(refusal: &PoolError, errors: Option<&[Variant<MetaForm>]>) -> bool {
    match (refusal, errors) {
        (PoolError::InvalidTransaction(InvalidTransaction::Custom(index)), Some(errors)) => errors
            .iter()
            .filter(|error| error.index == *index)
            .any(|error| ["AllowanceExhausted", "SecondIssuerNeeded"].contains(&error.name)),
        (PoolError::InvalidTransaction(InvalidTransaction::Custom(_)) | PoolError::TemporarilyBanned, _) => {
            true
        }
        _ => false,
    }
}

fn check_large(
    signed: &Signed,
    totals: &[(ClassId, Credits)],
    allowance: &IssuerAllowance,
    genesis: &H256,
) -> Answer<()> {
    let total = totals.iter().fold(0, |sum: Credits, (_, amount)| sum.saturating_add(*amount));
    // A basket has no way to become large, so its error is another one.
    let single = matches!(signed.request.grant, Grant::One { .. });
    if total <= allowance.large_mint || !single || signed.cosignature.is_some() {
        return Ok(());
    }
    let large = Large { large_mint: allowance.large_mint, payload: signed.request.signing_payload(genesis) };
    Err(error_with(
        Code::SecondIssuerNeeded,
        format!(
            "{} credits in one grant take the signatures of two issuers; one alone grants up to {}. Have \
             another issuer sign the same 32 bytes (`payload` in `data`) and send the request again with that \
             signature as the third parameter: {{\"issuer\": ADDRESS, \"signature\": HEX}}.",
            credits(total),
            credits(allowance.large_mint)
        ),
        large,
    ))
}

fn check_allowance(
    issuer: &AccountId,
    totals: &[(ClassId, Credits)],
    allowance: &IssuerAllowance,
) -> Answer<()> {
    for (class, asked) in totals {
        let Some(row) = allowance.classes.iter().find(|row| row.class == *class) else { continue };
        if row.left >= *asked {
            continue;
        }
        let exhausted = Exhausted {
            class: *class,
            asked: *asked,
            left: row.left,
            period_ends_at: allowance.period_ends_at,
        };
        return Err(error_with(
            Code::AllowanceExhausted,
            format!(
                "{issuer} has {} credits of {} left to mint in this period, and the grant takes {}. The next \
                 period begins at Unix time {} ms: send the request again then, grant less, or ask the council \
                 to raise the allowance.",
                credits(row.left),
                String::from_utf8_lossy(&row.name),
                credits(*asked),
                allowance.period_ends_at
            ),
            exhausted,
        ));
    }
    Ok(())
}

/// Credits with all six decimals.
fn credits(micro: Credits) -> String {
    format!("{}.{:06}", micro / MICRO_CREDITS_PER_CREDIT, micro % MICRO_CREDITS_PER_CREDIT)
}

fn refused(refusal: &PoolError, errors: Option<&[Variant<MetaForm>]>) -> ErrorObjectOwned {
    let message = match refusal {
        PoolError::InvalidTransaction(InvalidTransaction::Custom(index)) => {
            let reason = errors.and_then(|errors| errors.iter().find(|error| error.index == *index));
            match reason {
                Some(reason) if reason.name.starts_with("PolicyForbids") => {
                    let message =
                        format!("The chain refuses the mint ({}). {}", reason.name, reason.docs.join(" "));
                    return error_with(Code::PolicyForbids, message, reason.name);
                }
                Some(reason) => {
                    format!("The chain refuses the mint ({}). {}", reason.name, reason.docs.join(" "))
                }
                None => format!(
                    "The chain refuses the mint with error {index} of pallet `Entitlements`. This node is older \
                     or newer than the chain's runtime: look the error up in the chain's metadata."
                ),
            }
        }
        PoolError::TooLowPriority { .. } => {
            "A different request with the same idempotency key is waiting for \
             its block. For another grant take a new key."
                .into()
        }
        PoolError::ImmediatelyDropped => {
            "The node's transaction pool is full. Send the same request again in a \
             few seconds, or to another node."
                .into()
        }
        PoolError::TemporarilyBanned => {
            "The chain refused this request a moment ago. Wait ten seconds and send \
             it again to learn why."
                .into()
        }
        other => format!("The node's transaction pool does not take the request: {other}. Ask another node."),
    };
    error(Code::PoolRefused, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::{ed25519, Pair};
    use stipend_primitives::view::ClassAllowance;

    fn issuer() -> ed25519::Pair {
        ed25519::Pair::from_seed(&[7; 32])
    }

    fn request() -> MintRequest {
        MintRequest {
            issuer: AccountId::new(issuer().public().0),
            idempotency_key: [9; 16],
            owner: AccountId::new([3; 32]),
            grant: Grant::One { program: 1, amount: 5_000_000, valid_from: None, valid_until: None },
        }
    }

    fn second() -> ed25519::Pair {
        ed25519::Pair::from_seed(&[8; 32])
    }

    fn sign(pair: &ed25519::Pair, request: &MintRequest, genesis: &H256) -> Signature {
        pair.sign(&request.signing_payload(genesis)).0
    }

    fn signed(request: MintRequest, genesis: &H256) -> Signed {
        let signature = sign(&issuer(), &request, genesis);
        Signed { request, signature, cosignature: None }
    }

    fn cosigned(genesis: &H256) -> Signed {
        let mut signed = signed(request(), genesis);
        let signature = sign(&second(), &signed.request, genesis);
        let issuer = AccountId::new(second().public().0);
        signed.cosignature = Some(Cosignature { issuer, signature });
        signed
    }

    fn allowance(left: Credits) -> IssuerAllowance {
        let row = ClassAllowance {
            class: ClassId::INNOVATION,
            name: b"Innovation".to_vec().try_into().unwrap(),
            allowance: 100_000_000,
            minted: 100_000_000 - left,
            left,
        };
        IssuerAllowance { period_ends_at: 1_800_000, large_mint: 4_000_000, classes: vec![row] }
    }

    fn data(refusal: &ErrorObjectOwned) -> serde_json::Value {
        serde_json::from_str(refusal.data().unwrap().get()).unwrap()
    }

    #[test]
    fn a_request_signed_by_its_issuer_passes() {
        let genesis = H256::repeat_byte(1);
        check_signatures(&signed(request(), &genesis), &genesis).unwrap();
        check_signatures(&cosigned(&genesis), &genesis).unwrap();
    }

    #[test]
    fn a_signature_for_another_chain_is_refused_with_the_bytes_to_sign() {
        let genesis = H256::repeat_byte(1);
        let elsewhere = signed(request(), &H256::repeat_byte(2));
        let refusal = check_signatures(&elsewhere, &genesis).unwrap_err();
        assert_eq!(refusal.code(), Code::BadSignature as i32);
        let expected = sp_core::bytes::to_hex(&request().signing_payload(&genesis), false);
        assert_eq!(refusal.data().unwrap().get(), format!("\"{expected}\""));
    }

    #[test]
    fn a_changed_amount_breaks_the_signature() {
        let genesis = H256::repeat_byte(1);
        let mut changed = signed(request(), &genesis);
        changed.request.grant =
            Grant::One { program: 1, amount: 50_000_000, valid_from: None, valid_until: None };
        assert!(check_signatures(&changed, &genesis).is_err());
    }

    #[test]
    fn a_second_signature_that_does_not_hold_is_named_as_such() {
        let genesis = H256::repeat_byte(1);
        let mut wrong = cosigned(&genesis);
        wrong.cosignature = cosigned(&H256::repeat_byte(2)).cosignature;
        let refusal = check_signatures(&wrong, &genesis).unwrap_err();
        assert_eq!(refusal.code(), Code::BadSignature as i32);
        assert!(refusal.message().starts_with("The second signature"), "{}", refusal.message());
    }

    #[test]
    fn the_first_issuer_is_no_second_one() {
        let genesis = H256::repeat_byte(1);
        let mut twice = signed(request(), &genesis);
        let (issuer, signature) = (twice.request.issuer.clone(), twice.signature);
        twice.cosignature = Some(Cosignature { issuer, signature });
        let refusal = check_signatures(&twice, &genesis).unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidParameter as i32);
    }

    #[test]
    fn a_large_grant_is_told_what_the_second_issuer_signs() {
        let genesis = H256::repeat_byte(1);
        let totals = [(ClassId::INNOVATION, 5_000_000)];
        let refusal =
            check_large(&signed(request(), &genesis), &totals, &allowance(9), &genesis).unwrap_err();
        assert_eq!(refusal.code(), Code::SecondIssuerNeeded as i32);
        let payload = sp_core::bytes::to_hex(&request().signing_payload(&genesis), false);
        assert_eq!(data(&refusal), serde_json::json!({ "large_mint": "4000000", "payload": payload }));
        assert!(refusal.message().contains("5.000000 credits"), "{}", refusal.message());
        check_large(&cosigned(&genesis), &totals, &allowance(9), &genesis).unwrap();
        let small = [(ClassId::INNOVATION, 4_000_000)];
        check_large(&signed(request(), &genesis), &small, &allowance(9), &genesis).unwrap();
    }

    #[test]
    fn an_exhausted_allowance_says_what_is_left_and_until_when() {
        let totals = [(ClassId::INNOVATION, 5_000_000)];
        check_allowance(&request().issuer, &totals, &allowance(5_000_000)).unwrap();
        let refusal = check_allowance(&request().issuer, &totals, &allowance(4_999_999)).unwrap_err();
        assert_eq!(refusal.code(), Code::AllowanceExhausted as i32);
        assert!(refusal.message().contains("4.999999 credits of Innovation left"), "{}", refusal.message());
        assert_eq!(
            data(&refusal),
            serde_json::json!({
                "class": 0, "asked": "5000000", "left": "4999999", "period_ends_at": 1_800_000
            })
        );
    }

    #[test]
    fn only_a_refusal_for_the_limits_is_explained_by_them() {
        let errors = errors();
        let custom = |name: &str| {
            let index = errors.iter().find(|error| error.name == name).unwrap().index;
            PoolError::InvalidTransaction(InvalidTransaction::Custom(index))
        };
        assert!(may_be_about_limits(&custom("AllowanceExhausted"), Some(&errors)));
        assert!(may_be_about_limits(&custom("SecondIssuerNeeded"), Some(&errors)));
        assert!(!may_be_about_limits(&custom("BudgetExhausted"), Some(&errors)));
        assert!(may_be_about_limits(&custom("BudgetExhausted"), None), "nobody knows what the number means");
        assert!(may_be_about_limits(&PoolError::TemporarilyBanned, Some(&errors)));
        assert!(!may_be_about_limits(&PoolError::ImmediatelyDropped, Some(&errors)));
    }

    fn errors() -> Vec<Variant<MetaForm>> {
        match pallet_entitlements::Error::<Runtime>::type_info().type_def {
            TypeDef::Variant(errors) => errors.variants,
            _ => panic!("errors are an enum"),
        }
    }

    #[test]
    fn a_signature_of_the_wrong_length_is_an_invalid_parameter() {
        let refusal = read_signature(&Bytes(vec![0; 65])).unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidParameter as i32);
        assert!(refusal.message().contains("65 bytes"));
        assert!(read_signature(&Bytes(vec![0; 64])).is_ok());
    }

    #[test]
    fn a_repeated_request_is_told_what_the_first_one_minted() {
        let refusal = already_minted(&request(), vec![4, 5]);
        assert_eq!(refusal.code(), Code::AlreadyMinted as i32);
        assert_eq!(refusal.data().unwrap().get(), "[4,5]");
        assert!(refusal.message().contains("0x09090909090909090909090909090909"));
    }

    #[test]
    fn a_refused_mint_is_told_the_pallets_reason() {
        let errors = errors();
        let exhausted = errors.iter().find(|error| error.name == "BudgetExhausted").unwrap().index;
        let invalid = PoolError::InvalidTransaction(InvalidTransaction::Custom(exhausted));
        let refusal = refused(&invalid, Some(&errors));
        assert_eq!(refusal.code(), Code::PoolRefused as i32);
        assert!(refusal.message().contains("BudgetExhausted"), "{}", refusal.message());
        assert!(refusal.message().contains("ask for a larger budget"), "{}", refusal.message());
        assert!(refused(&invalid, None).message().contains(&format!("error {exhausted}")));
    }

    #[test]
    fn what_a_policy_forbids_has_a_code_of_its_own_and_names_the_rule() {
        let errors = errors();
        for name in ["PolicyForbidsClass", "PolicyForbidsValidity", "PolicyForbidsHolding"] {
            let index = errors.iter().find(|error| error.name == name).unwrap().index;
            let invalid = PoolError::InvalidTransaction(InvalidTransaction::Custom(index));
            let refusal = refused(&invalid, Some(&errors));
            assert_eq!(refusal.code(), Code::PolicyForbids as i32);
            assert_eq!(data(&refusal), name);
            assert!(refusal.message().contains(name), "{}", refusal.message());
        }
    }

    #[test]
    fn the_pools_own_refusals_say_what_to_do() {
        let cases = [
            (PoolError::TooLowPriority { old: 1, new: 1 }, "take a new key"),
            (PoolError::ImmediatelyDropped, "again in a few seconds"),
            (PoolError::TemporarilyBanned, "Wait ten seconds"),
            (PoolError::CycleDetected, "another node"),
        ];
        for (refusal, advice) in cases {
            let refusal = refused(&refusal, None);
            assert_eq!(refusal.code(), Code::PoolRefused as i32);
            assert!(refusal.message().contains(advice), "{}", refusal.message());
        }
    }
}
