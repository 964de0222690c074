//! What callers are told beside an answer, in its headers.

use std::time::Duration;

use http::{header::HeaderMap, HeaderName, HeaderValue};
use stipend_primitives::{ClassId, Credits};

use super::charge::Charged;
use crate::{admission::Admitted, credits::credits};

/// Micro-credits that the request did cost.
const X_COST: HeaderName = HeaderName::from_static("x-stipend-cost");

/// Micro-credits that it can cost at most: they are held for it.
const X_COST_MAX: HeaderName = HeaderName::from_static("x-stipend-cost-max");

/// Number of the class that pays.
const X_CLASS: HeaderName = HeaderName::from_static("x-stipend-class");

/// Micro-credits of that class that the wallet can still spend at this gateway.
const X_BALANCE: HeaderName = HeaderName::from_static("x-stipend-balance");

/// Milliseconds that the request waited for its turn.
const X_QUEUE_MS: HeaderName = HeaderName::from_static("x-stipend-queue-ms");

/// With a whole answer: what it did cost.
pub(super) fn of_whole(headers: &mut HeaderMap, charged: &Charged, queued: Duration) {
    put(headers, X_COST, charged.cost);
    class_and_balance(headers, charged.class, charged.balance, queued);
}

/// With a stream, whose cost nobody knows yet: what is held for it.
pub(super) fn of_stream(headers: &mut HeaderMap, admitted: &Admitted, queued: Duration) {
    put(headers, X_COST_MAX, admitted.base.amount());
    let balance = credits(admitted.base.account().within_reach());
    class_and_balance(headers, admitted.quote.entry.class, balance, queued);
}

fn class_and_balance(headers: &mut HeaderMap, class: ClassId, balance: Credits, queued: Duration) {
    headers.insert(X_CLASS, HeaderValue::from(class.0));
    put(headers, X_BALANCE, balance);
    put(headers, X_QUEUE_MS, queued.as_millis());
}

fn put(headers: &mut HeaderMap, name: HeaderName, number: u128) {
    headers
        .insert(name, HeaderValue::from_str(&number.to_string()).expect("digits are a header's value; qed"));
}
