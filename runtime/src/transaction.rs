//! The shape of transactions, their checks, and helpers to make them.

use codec::Decode;
use frame_system::offchain::{
    CreateAuthorizedTransaction, CreateBare, CreateTransaction, CreateTransactionBase,
};
use pallet_settlement::ExtractBatch;
use sp_runtime::generic::{self, Era};
use stipend_primitives::batch::SignedBatch;

use crate::{Address, Nonce, Runtime, RuntimeCall, Signature};

/// What every transaction is checked for, in this order.
///
/// Admission comes before the nonce, which a stranger does not have: it is told that it is one,
/// instead of being asked to pay.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    pallet_roles::CheckAdmission<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
);

/// A transaction, or an inherent, as it stands in a block.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;

/// What the signer of a transaction signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// The extension of a transaction that its sender signs.
pub fn tx_extension(era: Era, nonce: Nonce) -> TxExtension {
    (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(era),
        pallet_roles::CheckAdmission::new(),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
    )
}

/// Wraps a call that carries its own authority into a transaction without a signer: a batch signed
/// by its gateway (`receipts.submit_batch`), a vote or a finding signed by its validator
/// (`settlement.vote`, `evidence.report`), a
/// mint request signed by its issuer (`entitlements.mint_signed`), two blocks sealed by their author
/// (`governance.report_equivocation`). Of any other call the transaction is refused.
pub fn authorized_extrinsic(call: RuntimeCall) -> UncheckedExtrinsic {
    // Era and nonce bind a signer, and there is none. The calls have a replay protection each.
    UncheckedExtrinsic::new_transaction(call, tx_extension(Era::Immortal, 0))
}

impl<C> CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_transaction(call, extension)
    }
}

impl<C> CreateAuthorizedTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> TxExtension {
        tx_extension(Era::Immortal, 0)
    }
}

/// For GRANDPA's reports of equivocation, which a node hands to its own pool only.
impl<C> CreateBare<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}

/// Finds batches among this runtime's extrinsics, for the settlement's off-chain worker.
pub struct BatchOfExtrinsic;

impl ExtractBatch for BatchOfExtrinsic {
    fn extract(extrinsic: &[u8]) -> Option<SignedBatch> {
        match UncheckedExtrinsic::decode(&mut &extrinsic[..]).ok()?.function {
            RuntimeCall::Receipts(pallet_receipts::Call::submit_batch { signed }) => Some(*signed),
            _ => None,
        }
    }
}
