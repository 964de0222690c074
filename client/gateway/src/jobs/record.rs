//! What is known of one job, as its file keeps it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use stipend_openai::{error::ErrorObject, Endpoint};
use stipend_primitives::{
    cost::{PriceEntry, Usage},
    view::decimal,
    AccountId, BookVersion, Credits, Digest, KeyHash, Moment,
};

use crate::bound::Bound;

/// Names a job: to its caller, in the cluster and on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct JobId(#[serde(with = "hexed")] [u8; 16]);

impl JobId {
    pub(crate) fn new() -> Self {
        JobId(rand::random())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl FromStr for JobId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(JobId(bytes))
    }
}

/// A job from its submission to the end of the time for which it can be looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: JobId,
    pub(crate) owner: AccountId,
    /// Hash of the API key that it was submitted with.
    pub(crate) key: KeyHash,
    #[serde(with = "path")]
    pub(crate) endpoint: Endpoint,
    pub(crate) model: String,
    /// SHA-256 of the request as its caller sent it.
    #[serde(with = "hexed")]
    pub(crate) request_sha256: [u8; 32],
    pub(crate) created_at_ms: Moment,
    /// When it must have reported.
    pub(crate) deadline_at_ms: Moment,
    /// The book that prices it, and what that says of the model.
    pub(crate) book: BookVersion,
    pub(crate) entry: PriceEntry,
    pub(crate) bound: Bound,
    pub(crate) max_tokens: u32,
    /// Micro-credits that are held for it while it is not over.
    #[serde(with = "decimal")]
    pub(crate) held: Credits,
    pub(crate) attempts: Vec<Attempt>,
    /// Its caller wants it no more.
    pub(crate) is_cancelled: bool,
    pub(crate) stage: Stage,
}

/// One runner that began. Each has a digest of its own, because a provider serves a digest once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    #[serde(with = "hexed")]
    pub(crate) digest: Digest,
    /// Whom the runner may ask.
    pub(crate) providers: Vec<AccountId>,
}

/// Where a job is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// It has not reported.
    Pending,
    /// Its answer is on the disk; its receipt is not known to be.
    Answered(Answer),
    /// Its receipt is in the log.
    Done(Charge),
    /// Nothing is charged.
    Failed(Failure),
    /// It was cancelled before it began: nothing is charged.
    Cancelled(Moment),
}

/// What a job reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    #[serde(with = "hexed")]
    pub(crate) digest: Digest,
    pub(crate) provider: AccountId,
    pub(crate) usage: Usage,
    #[serde(with = "hexed")]
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: u64,
}

/// What it did cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) answer: Answer,
    /// Micro-credits of the class in the record's price entry.
    #[serde(with = "decimal")]
    pub(crate) cost: Credits,
    pub(crate) at_ms: Moment,
}

/// Why it came to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) error: ErrorObject,
    pub(crate) at_ms: Moment,
}

impl Record {
    /// When it was over; `None` while it is not.
    pub(crate) fn ended_at_ms(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Pending | Stage::Answered(_) => None,
            Stage::Done(charge) => Some(charge.at_ms),
            Stage::Failed(failure) => Some(failure.at_ms),
            Stage::Cancelled(at_ms) => Some(*at_ms),
        }
    }

    /// Bytes of the answer that is kept for its caller.
    pub(crate) fn kept_bytes(&self) -> u64 {
        match &self.stage {
            Stage::Done(charge) if !self.is_cancelled => charge.answer.bytes,
            _ => 0,
        }
    }
}

/// Bytes as hex digits.
mod hexed {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let mut bytes = [0; N];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes).map_err(D::Error::custom)?;
        Ok(bytes)
    }
}

/// An endpoint as its path.
mod path {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};
    use stipend_openai::Endpoint;

    pub(super) fn serialize<S: Serializer>(endpoint: &Endpoint, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(endpoint.path())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Endpoint, D::Error> {
        let path = String::deserialize(deserializer)?;
        Endpoint::of_path(&path).ok_or_else(|| D::Error::custom("there is no such endpoint"))
    }
}
