//! Benchmarks. `d` counts GPUs, `k` keys.

use alloc::{boxed::Box, vec::Vec};

use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::TransactionSource,
    traits::{Authorize, EnsureOrigin},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use pallet_settlement::{crypto::AuthorityId, Authorities, Pallet as Settlement, Providers};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use stipend_evidence_token::{KeySet, Policy, TrustedKey, DEVICES_MAX, KEYS_MAX};
use stipend_primitives::{
    evidence::EvidencePolicy, ledger::Roles, view::Provider, AccountId, ClassId, PublicKey, Role, Signature,
};

use crate::{
    pallet::{Call, Classes, Config, EvidenceOf, Findings, Keys, Pallet, TrustInForce},
    types::{EvidenceRecord, Finding, Subject, Trust, PERIOD_MIN},
};

/// The generator of P-384, as a key that is on the curve [FIPS 186-4, D.1.2.4].
const X: &str =
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7";
const Y: &str =
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";

fn coordinate(text: &str) -> [u8; 48] {
    let mut bytes = [0; 48];
    hex::decode_to_slice(text, &mut bytes).expect("96 digits; qed");
    bytes
}

fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn key_set(count: u32) -> KeySet {
    let key = |number: u32| TrustedKey {
        id: BoundedVec::truncate_from(alloc::format!("{number:0128}").into_bytes()),
        x: coordinate(X),
        y: coordinate(Y),
        valid_from_ms: None,
        valid_until_ms: None,
    };
    KeySet::new((0..count).map(key).collect()).expect("different ids, a point on the curve; qed")
}

fn trust() -> Trust {
    let source = BoundedVec::truncate_from(b"https://issuer.example/jwks.json".to_vec());
    Trust { policy: Policy::default(), source: Some(source), period: PERIOD_MIN }
}

/// Goes into the first round.
fn begin_round<T: Config>() -> Result<(), BenchmarkError> {
    Pallet::<T>::do_set_trust(Some(trust())).map_err(|_| "the trust is good")?;
    let now = frame_system::Pallet::<T>::block_number() + BlockNumberFor::<T>::from(2 * PERIOD_MIN);
    frame_system::Pallet::<T>::set_block_number(now);
    Ok(())
}

fn device(owner: u8, number: u32) -> H256 {
    let mut bytes = [owner; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    H256(bytes)
}

fn devices(owner: u8, count: u32) -> Vec<H256> {
    (0..count).map(|number| device(owner, number)).collect()
}

/// A finding about a provider with this many GPUs, each of which stood in evidence of another provider
/// with as many as fit, which has run out.
fn evidence<T: Config>(count: u32) -> Result<Finding, BenchmarkError> {
    begin_round::<T>()?;
    let provider = account(0xee);
    T::Roles::grant(&provider, Role::Provider);
    let endpoint = BoundedVec::truncate_from(b"https://a".to_vec());
    Providers::<T>::insert(&provider, Provider { key: [1; 32], endpoint, suspended: false });
    let mut shown = Vec::new();
    for former in 0..count as u8 {
        let devices = devices(former, DEVICES_MAX as u32);
        shown.push(devices[0]);
        let devices = BoundedVec::truncate_from(devices);
        let record = EvidenceRecord { round: 1, until: 2, digest: H256::zero(), devices };
        Pallet::<T>::put_evidence(&account(former), record);
    }
    shown.sort_unstable();
    let round = Pallet::<T>::round().ok_or("a round is under way")?;
    Ok(Finding::Evidence {
        provider,
        round: round.block,
        nonce: round.nonce(&[1; 32]),
        digest: H256::zero(),
        devices: BoundedVec::truncate_from(shown),
    })
}

fn keys<T: Config>(count: u32) -> Result<Finding, BenchmarkError> {
    begin_round::<T>()?;
    let round = Pallet::<T>::round().ok_or("a round is under way")?;
    let source = round.trust.source.ok_or("the trust has a source")?;
    Ok(Finding::Keys { round: round.block, source, keys: key_set(count) })
}

/// Makes one key of this node's the first of `authorities_count` authorities.
fn authority<T: Config>(authorities_count: u32) -> AuthorityId {
    let keys: Vec<AuthorityId> = (0..authorities_count).map(|_| AuthorityId::generate_pair(None)).collect();
    let first = keys[0].clone();
    Authorities::<T>::put(BoundedVec::truncate_from(keys));
    first
}

fn signed<T: Config>(finding: &Finding, key: &AuthorityId) -> (PublicKey, Signature) {
    let payload = finding.signing_payload(&Settlement::<T>::genesis_hash());
    let signature = key.sign(&payload).expect("the key was made in this keystore");
    (key.clone().into_inner().0, signature.into_inner().0)
}

fn council<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    <T as Config>::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn set_trust() -> Result<(), BenchmarkError> {
        let origin = council::<T>()?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Some(trust()));
        assert!(TrustInForce::<T>::exists());
        Ok(())
    }

    #[benchmark]
    fn set_keys(k: Linear<1, KEYS_MAX>) -> Result<(), BenchmarkError> {
        Pallet::<T>::do_set_trust(Some(trust())).map_err(|_| "the trust is good")?;
        let origin = council::<T>()?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Box::new(key_set(k)));
        assert!(Keys::<T>::exists());
        Ok(())
    }

    #[benchmark]
    fn set_class_policy() -> Result<(), BenchmarkError> {
        let origin = council::<T>()?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, ClassId::INNOVATION, EvidencePolicy::Required);
        assert_eq!(Classes::<T>::get().len(), 1);
        Ok(())
    }

    #[benchmark]
    fn authorize_report_evidence(d: Linear<1, { DEVICES_MAX as u32 }>) -> Result<(), BenchmarkError> {
        let finding = evidence::<T>(d)?;
        let key = authority::<T>(100);
        let (validator, signature) = signed::<T>(&finding, &key);
        let call = Call::<T>::report { finding: Box::new(finding), validator, signature };
        #[block]
        {
            call.authorize(TransactionSource::External).ok_or("findings are authorised")??;
        }
        Ok(())
    }

    #[benchmark]
    fn authorize_report_keys(k: Linear<1, KEYS_MAX>) -> Result<(), BenchmarkError> {
        let finding = keys::<T>(k)?;
        let key = authority::<T>(100);
        let (validator, signature) = signed::<T>(&finding, &key);
        let call = Call::<T>::report { finding: Box::new(finding), validator, signature };
        #[block]
        {
            call.authorize(TransactionSource::External).ok_or("findings are authorised")??;
        }
        Ok(())
    }

    #[benchmark]
    fn report_evidence(d: Linear<1, { DEVICES_MAX as u32 }>) -> Result<(), BenchmarkError> {
        let finding = evidence::<T>(d)?;
        let key = authority::<T>(1);
        let (validator, _) = signed::<T>(&finding, &key);
        #[block]
        {
            Pallet::<T>::do_report(finding, validator)?;
        }
        assert!(EvidenceOf::<T>::contains_key(account(0xee)));
        Ok(())
    }

    #[benchmark]
    fn report_keys(k: Linear<1, KEYS_MAX>) -> Result<(), BenchmarkError> {
        let finding = keys::<T>(k)?;
        let key = authority::<T>(1);
        let (validator, _) = signed::<T>(&finding, &key);
        #[block]
        {
            Pallet::<T>::do_report(finding, validator)?;
        }
        assert!(!Findings::<T>::contains_key(Subject::Keys));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
