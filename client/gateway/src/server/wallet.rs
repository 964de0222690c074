//! `GET /v1/wallet`: what the key's wallet can spend here, what the key may do and what it has used of that.

use http::{header, HeaderValue, Response, StatusCode};
use serde::Serialize;
use sp_core::crypto::Ss58Codec;
use stipend_openai::ApiError;
use stipend_primitives::{key::KeyLimits, view::decimal, ClassId, Credits, ModelId, Moment};

use super::answer::{of_kind, AnswerBody};
use crate::{
    caps::CapUse, clock::now_ms, credits::credits, keys::Key, prices::Prices, state::State, wallet::Account,
};

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
    /// What is used of them at this gateway.
    caps: Vec<CapView>,
}

/// One of the key's caps. Amounts are in `unit`; the moment is Unix time in milliseconds.
#[derive(Serialize)]
struct CapView {
    cap: &'static str,
    unit: &'static str,
    /// The one model that it is on; its number where the price book in force has no name for it.
    model: Option<String>,
    #[serde(with = "decimal")]
    limit: u128,
    /// By requests that have ended.
    #[serde(with = "decimal")]
    used: u128,
    /// By requests in flight: the most that they can use.
    #[serde(with = "decimal")]
    held: u128,
    /// When `used` begins anew.
    resets_at_ms: Moment,
}

/// The wallet of whoever asks, as this gateway sees it.
pub(super) fn answer(key: &Key, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let prices = state.prices.load();
    let mut classes: Vec<Class> =
        key.wallet.accounts().iter().map(|account| class(account, &prices)).collect();
    classes.sort_unstable_by_key(|class| class.class);
    let caps = key.used.of_caps(&key.caps, now_ms()).iter().map(|used| cap(used, &prices)).collect();
    let view = View {
        object: "wallet",
        owner: key.owner().to_ss58check(),
        frozen: key.wallet.is_frozen(),
        classes,
        key: KeyView { limits: &key.limits, caps },
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

fn cap(used: &CapUse, prices: &Prices) -> CapView {
    let name = |model: ModelId| prices.name_of(model).map_or_else(|| model.0.to_string(), str::to_owned);
    CapView {
        cap: used.cap.name(),
        unit: used.cap.unit(),
        model: used.model.map(name),
        limit: used.max,
        used: used.used,
        held: used.held,
        resets_at_ms: used.resets_at_ms,
    }
}
