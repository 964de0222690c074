//! What callers meet: purposes that they name, and requests that are held back.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use http::HeaderMap;
use parking_lot::Mutex;
use stipend_detectors::{Answer, Audience, Brake, Finding, Measure, Sketcher};
use stipend_openai::ApiError;
use stipend_primitives::{AccountId, Moment};

use crate::config::WasteConfig;

/// What a request is for, in the caller's words.
const X_PURPOSE: &str = "x-stipend-purpose";

/// Characters of a purpose.
const PURPOSE_MAX: usize = 64;

/// Purposes that one wallet can name: who has a new one for each request has none.
const PURPOSES_MAX: usize = 32;

/// Wallets whose purposes are remembered. Beyond it all are forgotten: a purpose may then be named anew.
const WALLETS_MAX: usize = 8_192;

/// Keyed digest of a purpose. What it says goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purpose(pub(super) u64);

pub(super) struct Gate {
    sketcher: Sketcher,
    measure: Measure,
    lasting_ms: Moment,
    brake: Mutex<Brake>,
    /// When the last wallet is free again: until something was found, the lock is not looked at.
    braked_until_ms: AtomicU64,
    purposes: Mutex<HashMap<AccountId, Vec<u64>>>,
}

impl Gate {
    pub(super) fn new(config: &WasteConfig, sketcher: Sketcher) -> Self {
        let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let lasting_ms = ms(config.lasting);
        let brake = Brake::new(config.measure, lasting_ms, ms(config.distance), config.memory.wallets_max);
        Gate {
            sketcher,
            measure: config.measure,
            lasting_ms,
            brake: Mutex::new(brake),
            braked_until_ms: AtomicU64::new(0),
            purposes: Mutex::default(),
        }
    }

    /// The purpose that the headers name.
    pub(super) fn purpose(
        &self,
        owner: &AccountId,
        headers: &HeaderMap,
    ) -> Result<Option<Purpose>, ApiError> {
        let Some(value) = headers.get(X_PURPOSE) else { return Ok(None) };
        let text = value.to_str().map(str::trim).unwrap_or_default();
        // What `to_str` lets through is printable, or a tab.
        if text.is_empty() || text.len() > PURPOSE_MAX || text.contains('\t') {
            return Err(ApiError::invalid_request(
                "invalid_purpose",
                format!("The header `{X_PURPOSE}` must be 1 to {PURPOSE_MAX} printable ASCII characters."),
            ));
        }
        let purpose = self.sketcher.purpose(text);
        let mut purposes = self.purposes.lock();
        if purposes.len() >= WALLETS_MAX && !purposes.contains_key(owner) {
            purposes.clear();
        }
        let known = purposes.entry(owner.clone()).or_default();
        if known.contains(&purpose) {
            return Ok(Some(Purpose(purpose)));
        }
        if known.len() == PURPOSES_MAX {
            return Err(ApiError::invalid_request(
                "too_many_purposes",
                format!(
                    "This wallet has named {PURPOSES_MAX} purposes in the header `{X_PURPOSE}` already. Use one of them: a purpose \
                     is what a body of work is for, not what one request is."
                ),
            ));
        }
        known.push(purpose);
        Ok(Some(Purpose(purpose)))
    }

    /// Whether a request may go on now.
    pub(super) fn pass(&self, owner: &AccountId, has_purpose: bool, now_ms: Moment) -> Result<(), ApiError> {
        if now_ms >= self.braked_until_ms.load(Ordering::Relaxed) {
            return Ok(());
        }
        let wallet: &[u8; 32] = owner.as_ref();
        let told = self.brake.lock().ask(wallet, now_ms, has_purpose);
        match told {
            Answer::Pass => Ok(()),
            Answer::Wait(ms) => Err(ApiError::rate_limit(
                "Something about this wallet's requests looks like waste, so they are let through more slowly for a while. `GET \
                 /v1/waste` says what was seen and how to appeal; nothing else follows from it.",
            )
            .with_retry_after(u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX))),
            Answer::NamePurpose => Err(ApiError::new(
                429,
                "rate_limit_error",
                "purpose_needed",
                format!(
                    "Something about this wallet's requests looks like waste. Say in the header `{X_PURPOSE}` what they are for, in at \
                     most {PURPOSE_MAX} characters, and they go on. `GET /v1/waste` says what was seen and how to appeal."
                ),
            )),
        }
    }

    /// Takes a finding in.
    pub(super) fn learn(&self, finding: &Finding) {
        if self.measure == Measure::Advise || finding.audience == Audience::Security {
            return;
        }
        self.brake.lock().learn(finding);
        let until_ms = finding.to_ms.saturating_add(self.lasting_ms);
        self.braked_until_ms.fetch_max(until_ms, Ordering::Relaxed);
    }
}
