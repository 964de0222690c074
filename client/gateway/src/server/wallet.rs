//! `GET /v1/wallet`: what the key's wallet can spend here, and what the key may do.

use http::{header, HeaderValue, Response, StatusCode};
use serde::Serialize;
use sp_core::crypto::Ss58Codec;
use stipend_openai::ApiError;
use stipend_primitives::{key::KeyLimits, view::decimal, ClassId, Credits, Moment};

use super::answer::{of_kind, AnswerBody};
use crate::{credits::credits, keys::Key, prices::Prices, state::State, wallet::Account};

#[derive(Serialize)]
struct View<'a> {
    object: &'static str,
    /// The wallet's account.
    owner: String,
    frozen: bool,
    classes: Vec<Class>,
    key: KeyView<'a>,
}

/// One class of the wallet. Amounts are micro-credits; moments are Unix time in milliseconds.
#[derive(Serialize)]
struct Class {
    class: ClassId,
    name: String,
    /// What new requests can hold at this gateway.
    #[serde(with = "decimal")]
    free: Credits,
    /// What requests in flight hold at this gateway.
    #[serde(with = "decimal")]
    held: Credits,
    /// What is reserved for this gateway on the chain.
    #[serde(with = "decimal")]
    reserved: Credits,
    /// When that reservation ends.
    reserved_until_ms: Moment,
    /// What no gateway had reserved when this one looked at the chain last.
    #[serde(with = "decimal")]
    available: Credits,
    /// When that was; 0: never.
    seen_at_ms: Moment,
}

#[derive(Serialize)]
struct KeyView<'a> {
    limits: &'a KeyLimits,
}

/// The wallet of whoever asks, as this gateway sees it.
pub(super) fn answer(key: &Key, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let prices = state.prices.load();
    let mut classes: Vec<Class> =
        key.wallet.accounts().iter().map(|account| class(account, &prices)).collect();
    classes.sort_unstable_by_key(|class| class.class);
    let view = View {
        object: "wallet",
        owner: key.owner().to_ss58check(),
        frozen: key.wallet.is_frozen(),
        classes,
        key: KeyView { limits: &key.limits },
    };
    let body = serde_json::to_vec(&view).map_err(|_| ApiError::internal())?;
    let mut answer = of_kind(StatusCode::OK, "application/json", body);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn class(account: &Account, prices: &Prices) -> Class {
    let figures = account.figures();
    Class {
        class: account.class,
        name: prices.class_name(account.class),
        free: credits(figures.free),
        held: credits(figures.held),
        reserved: figures.reserved,
        reserved_until_ms: figures.expires_at,
        available: credits(figures.available),
        seen_at_ms: figures.looked_at_ms,
    }
}
