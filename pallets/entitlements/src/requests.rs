//! Mint requests signed off-chain: by one issuer, or by two.

use frame_support::{
    ensure,
    pallet_prelude::{
        InvalidTransaction, TransactionValidityError, TransactionValidityWithRefund, ValidTransaction,
    },
    storage::with_transaction,
    weights::Weight,
};
use sp_core::H256;
use sp_runtime::{traits::Zero, DispatchError, ModuleError, TransactionOutcome};
use stipend_primitives::{
    ledger::Roles,
    mint::{Cosignature, MintRequest},
    signing, Role, Signature,
};

use crate::{allowances::Allowance, types::*, Config, Error, Event, Minted, Pallet};

impl<T: Config> Pallet<T> {
    /// Carries out a request whose signatures are verified; returns how many entitlements it made.
    ///
    /// All of it counts against the allowance of the request's own issuer: a second signature lets one
    /// grant be large, it does not let a day be.
    pub(crate) fn do_mint_requested(
        request: &MintRequest,
        cosignature: Option<&Cosignature>,
    ) -> Result<u32, DispatchError> {
        let MintRequest { issuer, idempotency_key, owner, grant } = request;
        ensure!(!Minted::<T>::contains_key(issuer, idempotency_key), Error::<T>::AlreadyMinted);
        ensure!(T::Roles::has(issuer, Role::Issuer), Error::<T>::NotIssuer);
        if let Some(Cosignature { issuer: second, .. }) = cosignature {
            let another = second != issuer && T::Roles::has(second, Role::Issuer);
            ensure!(another, Error::<T>::NotSecondIssuer);
        }
        let mut allowance = Allowance::<T>::open(issuer);
        let ids = Self::mint_grant(&mut allowance, owner, grant, cosignature.is_some())?;
        allowance.close();
        let count = ids.len() as u32;
        Minted::<T>::insert(issuer, idempotency_key, ids);
        if let Some(Cosignature { issuer: second, .. }) = cosignature {
            Self::deposit_event(Event::MintCosigned {
                issuer: issuer.clone(),
                second: second.clone(),
                idempotency_key: *idempotency_key,
            });
        }
        Ok(count)
    }

    /// Lets a signed request into the pool and into a block: `Stale` if its key was used, `BadSigner`
    /// if its issuer is none, `BadProof` if a signature is not its signer's, and `Custom` with the
    /// index of this pallet's error if the mint would be refused. Nothing is paid for a request, so
    /// one that fails must never get into a block: anybody could send it again and again.
    ///
    /// With or without its second signature a request has the same tag, so the pool holds one of the two.
    pub(crate) fn authorize_mint(
        request: &MintRequest,
        signature: &Signature,
        cosignature: Option<&Cosignature>,
    ) -> TransactionValidityWithRefund {
        let MintRequest { issuer, idempotency_key, .. } = request;
        if Minted::<T>::contains_key(issuer, idempotency_key) {
            return Err(InvalidTransaction::Stale.into());
        }
        if !T::Roles::has(issuer, Role::Issuer) {
            return Err(InvalidTransaction::BadSigner.into());
        }
        let payload = request.signing_payload(&Self::genesis_hash());
        let verified = signing::verify(&payload, signature, issuer.as_ref())
            && cosignature
                .is_none_or(|second| signing::verify(&payload, &second.signature, second.issuer.as_ref()));
        if !verified {
            return Err(InvalidTransaction::BadProof.into());
        }
        with_transaction(|| TransactionOutcome::Rollback(Self::do_mint_requested(request, cosignature)))
            .map_err(refused_by)?;
        let validity = ValidTransaction::with_tag_prefix("stipend/mint")
            .and_provides((issuer, idempotency_key))
            .priority(MINT_PRIORITY)
            .longevity(MINT_LONGEVITY)
            .propagate(true)
            .build()?;
        Ok((validity, Weight::zero()))
    }

    /// The hash that signatures for this chain contain.
    fn genesis_hash() -> H256 {
        frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero())
    }
}

/// Tells the sender of a request why it would fail, in the one byte that there is for it.
fn refused_by(error: DispatchError) -> TransactionValidityError {
    match error {
        DispatchError::Module(ModuleError { error: [index, ..], .. }) => InvalidTransaction::Custom(index),
        _ => InvalidTransaction::Call,
    }
    .into()
}
