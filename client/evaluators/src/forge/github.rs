//! Webhooks of GitHub, and of Gitea and Forgejo, which follow it.
//!
//! Source: "Webhook events and payloads" of GitHub's documentation (`push`, `pull_request`), "Webhooks" of
//! Gitea's and Forgejo's. Read is what all of them send.

use serde::Deserialize;

use super::{
    trailers::is_commit, Event, Forge, Mentions, Merged, Pushed, NOT_MERGED, OTHER_BRANCH, OTHER_EVENT,
    OTHER_REPOSITORY,
};

#[derive(Deserialize)]
struct Push {
    r#ref: String,
    after: String,
    #[serde(default)]
    forced: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    commits: Vec<Commit>,
    repository: Repository,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    message: String,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct PullRequestEvent {
    action: String,
    pull_request: PullRequest,
    repository: Repository,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
    title: String,
    body: Option<String>,
    #[serde(default)]
    merged: bool,
    merge_commit_sha: Option<String>,
    base: Base,
}

#[derive(Deserialize)]
struct Base {
    r#ref: String,
    repo: Option<BaseRepository>,
}

#[derive(Deserialize)]
struct BaseRepository {
    full_name: String,
}

pub(super) fn read(forge: &Forge, event: &str, body: &[u8]) -> Result<Event, String> {
    match event {
        "push" => push(forge, serde_json::from_slice(body).map_err(|error| error.to_string())?),
        "pull_request" => merge(forge, serde_json::from_slice(body).map_err(|error| error.to_string())?),
        _ => Ok(OTHER_EVENT),
    }
}

fn push(forge: &Forge, push: Push) -> Result<Event, String> {
    let Some(repository) = forge.watched(&push.repository.full_name) else { return Ok(OTHER_REPOSITORY) };
    let branch = push.r#ref.strip_prefix("refs/heads/").unwrap_or_default();
    if push.deleted || !forge.counts(branch, push.repository.default_branch.as_deref()) {
        return Ok(OTHER_BRANCH);
    }
    let is_whole = is_commit(&push.after) && push.commits.iter().all(|commit| is_commit(&commit.id));
    if !is_whole {
        return Err("`after` and every commit's `id` are hashes in full".into());
    }
    let said = |commit: Commit| (commit.id.to_ascii_lowercase(), Mentions::of_commit(&commit.message));
    Ok(Event::Pushed(Pushed {
        repository,
        after: push.after.to_ascii_lowercase(),
        is_forced: push.forced,
        commits: push.commits.into_iter().map(said).collect(),
    }))
}

fn merge(forge: &Forge, event: PullRequestEvent) -> Result<Event, String> {
    let request = event.pull_request;
    let Some(repository) = forge.watched(&event.repository.full_name) else { return Ok(OTHER_REPOSITORY) };
    // A request between two forks is nothing of this repository's.
    let into = request.base.repo.as_ref().map_or(repository.as_str(), |repo| &repo.full_name);
    if !into.eq_ignore_ascii_case(&repository) {
        return Ok(OTHER_REPOSITORY);
    }
    if event.action != "closed" || !request.merged {
        return Ok(NOT_MERGED);
    }
    if !forge.counts(&request.base.r#ref, event.repository.default_branch.as_deref()) {
        return Ok(OTHER_BRANCH);
    }
    let commit = request.merge_commit_sha.filter(|hash| is_commit(hash));
    let commit = commit.ok_or("`merge_commit_sha` of a merged request is a hash in full")?;
    let mentions = Mentions::of_description(request.body.as_deref().unwrap_or_default(), &repository);
    Ok(Event::Merged(Merged {
        repository,
        number: request.number,
        title: request.title,
        commit: commit.to_ascii_lowercase(),
        mentions,
    }))
}
