//! `GET /v1/aci/receipts/{id}`: what the gateway says of one request, signed.

use std::{sync::Arc, time::Duration};

use http::{header, HeaderValue, Response, StatusCode};
use stipend_openai::ApiError;
use stipend_primitives::{AccountId, Digest, Sequence};
use stipend_sdk::proof::{BatchPlace, Format, GatewayReceipt, Settlement};
use tokio::time::timeout;

use super::answer::{of_kind, AnswerBody};
use crate::{chain::PlacedBatch, keys::Key, receipt::Receipt, state::State};

/// How long the chain may take to say where a receipt stands; without it the receipt says less.
const CHAIN_WAIT_MAX: Duration = Duration::from_secs(2);

/// Seconds after which the chain can be asked again for what a receipt cannot do without.
const CHAIN_RETRY_S: u32 = 5;

/// The receipt of a request, for the keys of the wallet that paid for it and for nobody else.
pub(super) async fn answer(
    key: &Key,
    id: &str,
    state: &Arc<State>,
) -> Result<Response<AnswerBody>, ApiError> {
    let id = read_id(id)?;
    let _place = state.lookups.try_acquire().map_err(|_| {
        ApiError::rate_limit("Many receipts are being looked up. Try again in a moment.").with_retry_after(1)
    })?;
    let (seq, receipt) = find(state, id, key.owner()).await?.ok_or_else(not_found)?;
    let signed =
        describe(state, seq, receipt).await?.sign(&state.pen.signer).ok_or_else(ApiError::internal)?;
    let mut answer = of_kind(StatusCode::OK, "application/json", signed.bytes().to_vec());
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn read_id(text: &str) -> Result<Digest, ApiError> {
    let mut id = Digest::default();
    hex::decode_to_slice(text, &mut id).map_err(|_| {
        ApiError::invalid_request(
            "invalid_receipt_id",
            "A receipt's id is 32 hex digits: the header `x-stipend-request-id` of the answer.",
        )
    })?;
    Ok(id)
}

/// One answer for a receipt that never was, is too old, or is somebody else's.
fn not_found() -> ApiError {
    ApiError::not_found(
        "receipt_not_found",
        "No receipt of this wallet has that id here: it was another gateway's or wallet's request, one that \
         failed, or it is older than this gateway keeps receipts. The chain keeps the proof of every receipt: \
         `stipend receipts proof`.",
    )
}

/// Reads a receipt of a wallet from the log.
async fn find(
    state: &Arc<State>,
    id: Digest,
    owner: &AccountId,
) -> Result<Option<(Sequence, Receipt)>, ApiError> {
    let Some(seq) = state.kept.find(&id) else { return Ok(None) };
    let log = state.receipts.clone();
    let read = tokio::task::spawn_blocking(move || log.read(seq)).await.map_err(|_| ApiError::internal())?;
    let bytes = read.map_err(|error| {
        tracing::error!(%error, seq, "a receipt cannot be read back");
        ApiError::internal()
    })?;
    let receipt = bytes.and_then(|bytes| Receipt::from_bytes(&bytes));
    let own = receipt.filter(|receipt| receipt.digest == id && receipt.wallet == *owner);
    Ok(own.map(|receipt| (seq, receipt)))
}

/// All that is known of a receipt.
async fn describe(state: &State, seq: Sequence, receipt: Receipt) -> Result<GatewayReceipt, ApiError> {
    let receipt = as_charged(state, seq, receipt).await?;
    let batch = timeout(CHAIN_WAIT_MAX, state.records.batch_of(seq)).await;
    let batch = batch.ok().and_then(Result::ok).flatten();
    let details = receipt.details.as_ref();
    Ok(GatewayReceipt {
        format: Format::V1,
        id: receipt.digest,
        genesis: state.pen.genesis,
        gateway: state.pen.signer.account(),
        gateway_key: state.pen.signer.public(),
        sequence: seq,
        model: receipt.model,
        model_name: state.prices.load().name_of(receipt.model).map(str::to_owned),
        time_ms: details.map(|details| details.at_ms),
        request_sha256: details.map(|details| details.request_sha256.into()),
        response_sha256: details.map(|details| details.response_sha256.into()),
        input: receipt.usage.input,
        cached_input: receipt.usage.cached_input,
        output: receipt.usage.output,
        price_book: receipt.book,
        class: receipt.class,
        cost: receipt.cost,
        priority_fee: receipt.priority_fee.into(),
        held: details.map(|details| details.held),
        settlement: batch.as_ref().and_then(|batch| settlement(batch, &receipt.provider)),
        batch: batch.as_ref().map(place),
        wallet: receipt.wallet,
        provider: receipt.provider,
    })
}

/// The receipt as the chain charges it: by the book in force, where its own was retired before the chain took
/// it.
async fn as_charged(state: &State, seq: Sequence, receipt: Receipt) -> Result<Receipt, ApiError> {
    let Some(version) = state.kept.book_of(seq) else { return Ok(receipt) };
    let book = timeout(CHAIN_WAIT_MAX, state.records.book(version)).await;
    let book = book.ok().and_then(Result::ok).flatten();
    let Some(entry) = book.as_ref().and_then(|book| book.entry(receipt.model)) else {
        return Err(ApiError::unavailable(
            "This receipt is charged by another price book than it was quoted from, and the chain does not answer \
             what that book says. Try again later.",
        )
        .with_retry_after(CHAIN_RETRY_S));
    };
    Ok(Receipt { book: version, class: entry.class, cost: entry.cost(&receipt.usage), ..receipt })
}

fn place(batch: &PlacedBatch) -> BatchPlace {
    let PlacedBatch { first_seq, last_seq, block, hash, .. } = *batch;
    BatchPlace { first_seq, last_seq, block, hash }
}

fn settlement(batch: &PlacedBatch, provider: &AccountId) -> Option<Settlement> {
    let (_, settled) = batch.settled.iter().find(|(known, _)| known == provider)?;
    Some(Settlement { verdict: settled.verdict, item_refunded: settled.refunded, block: settled.at })
}
