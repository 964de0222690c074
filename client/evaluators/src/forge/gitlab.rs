//! Webhooks of GitLab.
//!
//! Source: "Webhook events" of GitLab's documentation (push events, merge request events). A push names its newest
//! 20 commits only; a merge request names the commit that it became as `merge_commit_sha`, `squash_commit_sha`
//! or, fast-forwarded, as its `last_commit`.

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
    commits: Vec<Commit>,
    project: Project,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    message: String,
}

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct MergeRequestEvent {
    project: Project,
    object_attributes: MergeRequest,
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: u64,
    title: String,
    description: Option<String>,
    action: Option<String>,
    target_branch: String,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    last_commit: Option<LastCommit>,
}

#[derive(Deserialize)]
struct LastCommit {
    id: String,
}

pub(super) fn read(forge: &Forge, event: &str, body: &[u8]) -> Result<Event, String> {
    match event {
        "Push Hook" => push(forge, serde_json::from_slice(body).map_err(|error| error.to_string())?),
        "Merge Request Hook" => {
            merge(forge, serde_json::from_slice(body).map_err(|error| error.to_string())?)
        }
        _ => Ok(OTHER_EVENT),
    }
}

fn push(forge: &Forge, push: Push) -> Result<Event, String> {
    let Some(repository) = forge.watched(&push.project.path_with_namespace) else {
        return Ok(OTHER_REPOSITORY);
    };
    let branch = push.r#ref.strip_prefix("refs/heads/").unwrap_or_default();
    let is_deleted = push.after.bytes().all(|digit| digit == b'0');
    if is_deleted || !forge.counts(branch, push.project.default_branch.as_deref()) {
        return Ok(OTHER_BRANCH);
    }
    if !is_commit(&push.after) || !push.commits.iter().all(|commit| is_commit(&commit.id)) {
        return Err("`after` and every commit's `id` are hashes in full".into());
    }
    let said = |commit: Commit| (commit.id.to_ascii_lowercase(), Mentions::of_commit(&commit.message));
    Ok(Event::Pushed(Pushed {
        repository,
        after: push.after.to_ascii_lowercase(),
        is_forced: false,
        commits: push.commits.into_iter().map(said).collect(),
    }))
}

fn merge(forge: &Forge, event: MergeRequestEvent) -> Result<Event, String> {
    let request = event.object_attributes;
    let Some(repository) = forge.watched(&event.project.path_with_namespace) else {
        return Ok(OTHER_REPOSITORY);
    };
    if request.action.as_deref() != Some("merge") {
        return Ok(NOT_MERGED);
    }
    if !forge.counts(&request.target_branch, event.project.default_branch.as_deref()) {
        return Ok(OTHER_BRANCH);
    }
    let fast_forwarded = request.last_commit.map(|commit| commit.id);
    let commit = request.merge_commit_sha.or(request.squash_commit_sha).or(fast_forwarded);
    let commit = commit.filter(|hash| is_commit(hash));
    let commit = commit.ok_or("a merge request that was merged names its commit in full")?;
    let mentions = Mentions::of_description(request.description.as_deref().unwrap_or_default(), &repository);
    Ok(Event::Merged(Merged {
        repository,
        number: request.iid,
        title: request.title,
        commit: commit.to_ascii_lowercase(),
        mentions,
    }))
}
