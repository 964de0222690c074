//! The name under which caller, proxies and log speak of a request: `x-request-id`.
//!
//! It is the caller's where that is sane, and made here otherwise. What a receipt is called is another
//! matter: that name is never the caller's choice.

use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a caller's id: twice a UUID with a prefix.
const LEN_MAX: usize = 96;

/// The id of a request.
pub(super) fn of(headers: &HeaderMap) -> HeaderValue {
    let mut values = headers.get_all(NAME).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if is_sane(value.as_bytes()) => value.clone(),
        _ => new(),
    }
}

/// Nothing that could break a log's line or mean something to whoever reads it.
fn is_sane(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=LEN_MAX).contains(&id.len()) && id.iter().all(is_plain)
}

fn new() -> HeaderValue {
    let id = hex::encode(rand::random::<[u8; 8]>());
    HeaderValue::from_str(&id).expect("hex digits are a header's value; qed")
}

/// The id as the log shows it.
pub(super) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of_values(values: &[&[u8]]) -> HeaderValue {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
        }
        of(&headers)
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        for kept in ["a", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "trace:1_2.3"] {
            assert_eq!(of_values(&[kept.as_bytes()]), kept);
        }
        let long = vec![b'a'; LEN_MAX + 1];
        let strange: [&[&[u8]]; 7] =
            [&[], &[b""], &[b"two words"], &[b"a\tb"], &[b"\xff"], &[long.as_slice()], &[b"a", b"b"]];
        for values in strange {
            let made = of_values(values);
            assert!(made.len() == 16 && text(&made).bytes().all(|byte| byte.is_ascii_hexdigit()), "{made:?}");
        }
    }
}
