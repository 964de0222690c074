//! `receipts_*`: batches, and proofs of receipts up to a finalised header.

use std::collections::{btree_map::Entry, BTreeMap};

use codec::Encode;
use jsonrpsee::{
    core::{async_trait, RpcResult},
    types::ErrorObjectOwned,
};
use pallet_settlement::types::ExtractBatch;
use sc_client_api::BlockBackend;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::H256;
use stipend_primitives::{batch::Batch, AccountId, BlockNumber, Sequence};
use stipend_rpc::{
    error::{error, Code},
    BatchStatus, ReceiptProof, ReceiptView, ReceiptsRpcServer,
};
use stipend_runtime::{transaction::BatchOfExtrinsic, Header};
use stipend_runtime_api::{PricingApi, ReceiptsApi, SettlementApi};

use super::{
    internal,
    proof::{committed, prove, Unproven},
    runtime, view, Answer, Chain,
};

/// Answers `receipts_*`.
pub struct Receipts {
    chain: Chain,
}

impl Receipts {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Receipts { chain }
    }
}

#[async_trait]
impl ReceiptsRpcServer for Receipts {
    async fn batch(&self, gateway: AccountId, sequence: Sequence) -> RpcResult<Option<BatchStatus>> {
        self.chain
            .compute(move |chain| {
                // The finalised block is read first: it is then surely an ancestor of the best one,
                // and what the best one dates back to it is final.
                let finalised = chain.finalised().number;
                let batch = runtime(chain.client.runtime_api().batch(chain.best().hash, gateway, sequence))?;
                Ok(batch.map(|batch| BatchStatus { finalised: batch.submitted_at <= finalised, batch }))
            })
            .await
    }

    async fn proof(
        &self,
        gateway: AccountId,
        sequence: Sequence,
        at: Option<BlockNumber>,
    ) -> RpcResult<ReceiptProof> {
        self.chain
            .compute(move |chain| {
                let number = match at {
                    Some(number) => number,
                    None => find_block(chain, &gateway, sequence)?,
                };
                prove_at(chain, &gateway, sequence, number)
            })
            .await
    }

    async fn get(
        &self,
        gateway: AccountId,
        sequence: Sequence,
        at: Option<BlockNumber>,
    ) -> RpcResult<ReceiptView> {
        self.chain
            .compute(move |chain| {
                let number = match at {
                    Some(number) => number,
                    None => find_block(chain, &gateway, sequence)?,
                };
                view_at(chain, gateway, sequence, number)
            })
            .await
    }
}

/// The block that the receipt's batch came in, as far as the state remembers.
fn find_block(chain: &Chain, gateway: &AccountId, sequence: Sequence) -> Answer<BlockNumber> {
    let batch = runtime(chain.client.runtime_api().batch(chain.best().hash, gateway.clone(), sequence))?;
    batch.map(|batch| batch.submitted_at).ok_or_else(|| {
        error(
            Code::NotFound,
            format!(
                "The chain remembers no batch of {gateway} with receipt {sequence}. If it was settled long ago, \
                 name the block that it came in as `at`; if it is new, its gateway has yet to submit it."
            ),
        )
    })
}

/// A finalised block, as far as a receipt goes.
struct FinalBlock {
    hash: H256,
    header: Header,
    batches: Vec<Batch>,
}

fn final_block(chain: &Chain, number: BlockNumber) -> Answer<FinalBlock> {
    let finalised = chain.finalised().number;
    if number > finalised {
        return Err(not_finalised(number, finalised));
    }
    let missing = || internal(format!("block {number} is finalised but this node does not have it"));
    let hash = chain.client.hash(number).map_err(internal)?.ok_or_else(missing)?;
    let header = chain.client.header(hash).map_err(internal)?.ok_or_else(missing)?;
    let body = chain.client.block_body(hash).map_err(internal)?.ok_or_else(|| pruned(number))?;
    let batches = body.iter().filter_map(|extrinsic| BatchOfExtrinsic::extract(&extrinsic.encode()));
    Ok(FinalBlock { hash, header, batches: batches.map(|signed| signed.batch).collect() })
}

fn prove_at(
    chain: &Chain,
    gateway: &AccountId,
    sequence: Sequence,
    number: BlockNumber,
) -> Answer<ReceiptProof> {
    let FinalBlock { hash, header, batches } = final_block(chain, number)?;
    let (receipt, proof) = prove(&header, batches, gateway, sequence)
        .map_err(|reason| unproven(reason, gateway, sequence, number))?;
    Ok(ReceiptProof {
        receipt: receipt.encode().into(),
        proof: proof.encode().into(),
        header: header.encode().into(),
        block_hash: hash,
    })
}

fn view_at(
    chain: &Chain,
    gateway: AccountId,
    sequence: Sequence,
    number: BlockNumber,
) -> Answer<ReceiptView> {
    let FinalBlock { header, batches, .. } = final_block(chain, number)?;
    let (batch, receipt, _) = committed(&header, batches, &gateway, sequence)
        .map_err(|reason| unproven(reason, &gateway, sequence, number))?;
    let (api, finalised) = (chain.client.runtime_api(), chain.finalised().hash);
    let settled = runtime(api.batch(finalised, gateway.clone(), sequence))?
        .and_then(|batch| batch.providers.into_iter().find(|part| part.provider == receipt.provider))
        .and_then(|part| part.settled);
    let scores = runtime(api.scores(finalised))?;
    let grid_mg_per_kwh = scores
        .providers
        .into_iter()
        .find(|score| score.provider == receipt.provider)
        .and_then(|score| score.grid_mg_per_kwh);
    let mut books = BTreeMap::new();
    for line in &batch.lines {
        if let Entry::Vacant(vacant) = books.entry(line.book) {
            let book = runtime(api.book(finalised, line.book))?;
            vacant.insert(book.ok_or_else(|| internal(format!("there is no price book {}", line.book)))?);
        }
    }
    view::receipt(&batch, number, &receipt, &books, settled, grid_mg_per_kwh)
        .ok_or_else(|| internal(format!("no price book has the model of receipt {sequence}")))
}

fn not_finalised(number: BlockNumber, finalised: BlockNumber) -> ErrorObjectOwned {
    error(
        Code::NotFinalised,
        format!(
            "Block {number} is not final yet, the newest final block is {finalised}. Ask again in a few seconds: \
             a proof holds only from a final block."
        ),
    )
}

fn pruned(number: BlockNumber) -> ErrorObjectOwned {
    error(
        Code::NotFound,
        format!(
            "This node keeps no body of block {number}. Ask a node that runs with \
             `--blocks-pruning archive-canonical`."
        ),
    )
}

fn unproven(
    reason: Unproven,
    gateway: &AccountId,
    sequence: Sequence,
    number: BlockNumber,
) -> ErrorObjectOwned {
    match reason {
        Unproven::NotInHeader => error(
            Code::NotFound,
            format!(
                "Block {number} holds no batch of {gateway} with receipt {sequence}. Leave `at` out to have the \
                 node look for it, or name the block that the batch came in."
            ),
        ),
        Unproven::NotInBody => internal(format!(
            "the header of block {number} commits to a batch that its body does not hold"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_without_a_proof_has_its_code_and_names_the_block() {
        let gateway = AccountId::new([1; 32]);
        let cases = [
            (not_finalised(9, 7), Code::NotFinalised),
            (pruned(9), Code::NotFound),
            (unproven(Unproven::NotInHeader, &gateway, 5, 9), Code::NotFound),
            (unproven(Unproven::NotInBody, &gateway, 5, 9), Code::Internal),
        ];
        for (error, code) in cases {
            assert_eq!(error.code(), code as i32);
            assert!(error.message().contains('9'));
        }
    }
}
