//! Git forges: who sent a webhook, and what it says.

pub mod github;
pub mod gitlab;
#[cfg(test)]
mod tests;
pub mod trailers;
mod verify;

use http::HeaderMap;
use serde::Deserialize;

pub use trailers::Mentions;
pub use verify::{verify, Unverified};

use crate::secret::Secret;

/// Bytes of a delivery's name.
const DELIVERY_BYTES_MAX: usize = 128;

/// The forges whose webhooks are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// GitHub, and GitHub Enterprise Server.
    Github,
    /// Gitea and Forgejo, whose webhooks are GitHub's with headers of their own beside.
    Gitea,
    /// GitLab.
    Gitlab,
}

/// A forge that may send webhooks.
#[derive(Clone)]
pub struct Forge {
    /// Its name in addresses, reports and metrics.
    pub name: String,
    /// What it speaks.
    pub kind: Kind,
    /// What it and we share.
    pub secret: Secret,
    /// The repositories that count, as `owner/name`.
    pub repositories: Vec<String>,
    /// The branch that counts; `None`: each repository's default branch.
    pub branch: Option<String>,
    /// What the compute was for, if it is said here.
    pub purpose: Option<String>,
}

/// What a webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Commits are on the branch.
    Pushed(Pushed),
    /// A pull request was merged into the branch.
    Merged(Merged),
    /// Nothing that counts, and why.
    Other(&'static str),
}

/// A push to the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// `owner/name`.
    pub repository: String,
    /// The branch's newest commit.
    pub after: String,
    /// Whether commits were taken off the branch. Not every forge says so.
    pub is_forced: bool,
    /// The commits and what they say, oldest first.
    pub commits: Vec<(String, Mentions)>,
}

/// A pull request that was merged into the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// `owner/name` of the repository that it was merged into.
    pub repository: String,
    /// Its number there.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// The commit that it became on the branch.
    pub commit: String,
    /// What its description says.
    pub mentions: Mentions,
}

/// A body that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not what a `{event}` webhook of this forge has: {why}")]
pub struct BadPayload {
    /// The event that the header names.
    event: String,
    /// What is wrong with it.
    why: String,
}

impl Forge {
    /// Reads a body whose sender is known.
    pub fn read(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event, BadPayload> {
        let event = self.event_name(headers).unwrap_or_default();
        let read = match self.kind {
            Kind::Github | Kind::Gitea => github::read(self, &event, body),
            Kind::Gitlab => gitlab::read(self, &event, body),
        };
        read.map_err(|why| BadPayload { event: event.chars().take(64).collect(), why })
    }

    /// What the forge calls the delivery. It is not part of what is signed.
    pub fn delivery(&self, headers: &HeaderMap) -> Option<String> {
        let names: &[&str] = match self.kind {
            Kind::Github => &["x-github-delivery"],
            Kind::Gitea => &["x-forgejo-delivery", "x-gitea-delivery", "x-github-delivery"],
            // The first stays the same when GitLab tries again.
            Kind::Gitlab => &["idempotency-key", "x-gitlab-event-uuid"],
        };
        let name = first(headers, names)?;
        let is_name =
            (1..=DELIVERY_BYTES_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        is_name.then_some(name)
    }

    fn event_name(&self, headers: &HeaderMap) -> Option<String> {
        let names: &[&str] = match self.kind {
            Kind::Github => &["x-github-event"],
            Kind::Gitea => &["x-forgejo-event", "x-gitea-event", "x-github-event"],
            Kind::Gitlab => &["x-gitlab-event"],
        };
        first(headers, names)
    }

    /// The repository as it is written here, if it counts.
    fn watched(&self, repository: &str) -> Option<String> {
        let watched = self.repositories.iter().find(|watched| watched.eq_ignore_ascii_case(repository));
        watched.cloned()
    }

    /// Whether a branch of a repository with this default branch counts.
    fn counts(&self, branch: &str, default_branch: Option<&str>) -> bool {
        self.branch.as_deref().or(default_branch) == Some(branch)
    }
}

fn first(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    let value = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok().map(str::to_owned)
}

const OTHER_EVENT: Event = Event::Other("this event does not count");
const OTHER_REPOSITORY: Event = Event::Other("this repository is not among those that count");
const OTHER_BRANCH: Event = Event::Other("this branch does not count");
const NOT_MERGED: Event = Event::Other("nothing was merged");
