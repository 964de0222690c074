//! Who asks, and for which request.

use http::{header::AUTHORIZATION, HeaderMap};
use stipend_forward::Tag;
use stipend_openai::ApiError;
use stipend_primitives::{
    signing::{self, Domain},
    AccountId, Digest,
};

use crate::{config::account_hex, store::CannotBegin, App};

/// Names the gateway: 64 hex digits of its account.
const GATEWAY_HEADER: &str = "x-stipend-gateway";

/// Names the request: 32 hex digits of its digest.
const REQUEST_HEADER: &str = "x-stipend-request";

/// What proves that the request is the gateway's: its signature over provider and digest as 128 hex digits, or a
/// tag under the secret of the two as 64.
const SIGNATURE_HEADER: &str = "x-stipend-signature";

/// The gateway that asks, if its token is the one configured for it. An unknown gateway and a wrong
/// token get the same answer.
pub(crate) fn admit(app: &App, headers: &HeaderMap) -> Result<AccountId, ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let token = text(AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let gateway = text(GATEWAY_HEADER).and_then(account_hex).map(AccountId::new);
    let (Some(token), Some(gateway)) = (token, gateway) else { return Err(not_admitted()) };
    match app.gateways.get(&gateway) {
        Some(known) if known.token.admits(token) => Ok(gateway),
        _ => Err(not_admitted()),
    }
}

fn not_admitted() -> ApiError {
    ApiError::new(
        401,
        "authentication_error",
        "unknown_gateway",
        "This is no open endpoint: a gateway names itself in `x-stipend-gateway` and shows its token as \
         `Authorization: Bearer TOKEN`. Check both against the attestor's configuration.",
    )
}

/// The request's digest, if the gateway's key speaks for it: the token alone travels with every request and can be
/// picked up, the key never leaves the gateway.
pub(super) fn digest(app: &App, gateway: &AccountId, headers: &HeaderMap) -> Result<Digest, ApiError> {
    let digest = named(headers)?;
    let Some(signature) = headers.get(SIGNATURE_HEADER) else {
        let must_sign = app.gateways.get(gateway).is_none_or(|known| known.signs);
        return if must_sign { Err(not_signed()) } else { Ok(digest) };
    };
    let mut tag = Tag::default();
    if hex::decode_to_slice(signature, &mut tag).is_ok() {
        let key = app.forward_keys.get(gateway);
        return key.filter(|key| key.is_proved(&digest, &tag)).map(|_| digest).ok_or_else(not_signed);
    }
    let mut bytes = [0; 64];
    hex::decode_to_slice(signature, &mut bytes).map_err(|_| not_signed())?;
    let mut body = [0; 48];
    body[..32].copy_from_slice(app.provider.as_ref());
    body[32..].copy_from_slice(&digest);
    let payload = signing::payload(Domain::Forward, &app.genesis, &body);
    match signing::verify(&payload, &bytes, gateway.as_ref()) {
        true => Ok(digest),
        false => Err(not_signed()),
    }
}

fn not_signed() -> ApiError {
    ApiError::new(
        401,
        "authentication_error",
        "bad_signature",
        "`x-stipend-signature` must prove that the request is the gateway's: by a signature over this provider and \
         this digest, 128 hex digits, or by a tag under the secret of the two, 64 hex digits. Check that the gateway has the key of the account it names, and that both are on one chain.",
    )
}

fn named(headers: &HeaderMap) -> Result<Digest, ApiError> {
    let mut digest = Digest::default();
    headers.get(REQUEST_HEADER).and_then(|value| hex::decode_to_slice(value, &mut digest).ok()).ok_or_else(
        || {
            ApiError::invalid_request(
                "no_digest",
                "`x-stipend-request` must carry 32 hex digits, new for each request.",
            )
        },
    )?;
    Ok(digest)
}

/// What a gateway hears of a request that cannot begin.
pub(super) fn cannot_begin(why: CannotBegin) -> ApiError {
    match why {
        CannotBegin::Repeated => ApiError::conflict(
            "repeated_request",
            "A request with this digest was served or is being served. A digest is for one request.",
        ),
        CannotBegin::Full => ApiError::unavailable(
            "Too many requests of this gateway wait to be claimed. Send their claims first.",
        ),
    }
}
