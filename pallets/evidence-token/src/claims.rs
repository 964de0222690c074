//! Claims that every token has: issuer, nonce, times (RFC 7519, RFC 9711).

use crate::{
    json::{Json, Members},
    policy::Policy,
    refusal::Reason,
};

/// Bytes of a claim that is passed on, such as a model: the longest that NVIDIA publishes has 49.
const TEXT_LEN_MAX: usize = 64;

/// Signed claims.
pub(crate) struct Claims(pub(crate) Members);

/// What every token must be for.
pub(crate) struct Expected<'a> {
    pub(crate) nonce: &'a [u8; 32],
    pub(crate) now_ms: u64,
    pub(crate) policy: &'a Policy,
}

/// The time within which a token counts (Unix time, ms).
#[derive(Clone, Copy)]
pub(crate) struct Period {
    pub(crate) issued_at_ms: u64,
    pub(crate) expires_at_ms: u64,
}

impl Period {
    /// The time within which both count.
    pub(crate) fn and(self, other: Period) -> Period {
        Period {
            issued_at_ms: self.issued_at_ms.min(other.issued_at_ms),
            expires_at_ms: self.expires_at_ms.min(other.expires_at_ms),
        }
    }
}

impl Claims {
    pub(crate) fn get(&self, name: &'static str) -> Result<&Json, Reason> {
        self.0.get(name).ok_or(Reason::MissingClaim(name))
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<&str, Reason> {
        match self.get(name)? {
            Json::Text(text) => Ok(text),
            _ => Err(Reason::BadClaim(name)),
        }
    }

    /// A claim that is passed on to people: short and printable.
    pub(crate) fn label(&self, name: &'static str) -> Result<&str, Reason> {
        let text = self.text(name)?;
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if (1..=TEXT_LEN_MAX).contains(&text.len()) && printable {
            Ok(text)
        } else {
            Err(Reason::BadClaim(name))
        }
    }

    /// A time in whole seconds, as milliseconds.
    fn time_ms(&self, name: &'static str) -> Result<u64, Reason> {
        match self.get(name)? {
            Json::Number(Some(seconds)) => seconds.checked_mul(1_000).ok_or(Reason::BadClaim(name)),
            _ => Err(Reason::BadClaim(name)),
        }
    }

    /// Whether the token is of the right issuer, for the right nonce and in its time.
    pub(crate) fn check(&self, expected: &Expected<'_>) -> Result<Period, Reason> {
        if self.text("iss")?.as_bytes() != expected.policy.issuer.as_slice() {
            return Err(Reason::OtherIssuer);
        }
        let period = self.period(expected)?;
        if !is_hex_of(self.text("eat_nonce")?, expected.nonce) {
            return Err(Reason::OtherNonce);
        }
        Ok(period)
    }

    fn period(&self, expected: &Expected<'_>) -> Result<Period, Reason> {
        let Policy { skew_ms, age_ms_max, .. } = expected.policy;
        let now_ms = expected.now_ms;
        let (issued_at_ms, not_before_ms, until_ms) =
            (self.time_ms("iat")?, self.time_ms("nbf")?, self.time_ms("exp")?);
        if now_ms >= until_ms {
            return Err(Reason::Expired);
        }
        if not_before_ms > now_ms.saturating_add(*skew_ms) {
            return Err(Reason::NotYetValid);
        }
        if issued_at_ms > now_ms.saturating_add(*skew_ms) {
            return Err(Reason::IssuedInFuture);
        }
        let oldest_until_ms = issued_at_ms.saturating_add(*age_ms_max);
        if now_ms >= oldest_until_ms {
            return Err(Reason::TooOld);
        }
        Ok(Period { issued_at_ms, expires_at_ms: until_ms.min(oldest_until_ms) })
    }
}

/// Whether `text` is `bytes` in hexadecimal digits. NVIDIA's service repeats them as they were sent: capital
/// letters too.
pub(crate) fn is_hex_of(text: &str, bytes: &[u8; 32]) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.len() == 64
        && text.as_bytes().chunks_exact(2).zip(bytes).all(|(pair, byte)| {
            digit(pair[0]) == Some(u32::from(byte >> 4)) && digit(pair[1]) == Some(u32::from(byte & 15))
        })
}
