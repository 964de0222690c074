//! Which merge a commit belongs to, and which merges were taken back.
//!
//! A push may bring several merges (a merge queue does), each with its commits before the one that it became; so a
//! commit belongs to the first merge at or after its place. What comes first does not matter: a
//! revert is noted under what it names and looked at again when the rest is known.

use std::collections::BTreeSet;

use rusqlite::{params, Connection, OptionalExtension};

use super::{outbox, Answer};

/// The commits of a merge, as far as a push named them; the one that it became is always among them.
pub(super) fn commits_of(connection: &Connection, repository: &str, hash: &str) -> Answer<Vec<String>> {
    let sql = "
        SELECT c.hash FROM commits c JOIN commits own
            ON own.repository = c.repository AND own.head = c.head AND own.hash = ?2
        WHERE c.repository = ?1 AND c.place <= own.place AND c.place > coalesce((
            SELECT max(earlier.place) FROM commits earlier JOIN merges m
                ON m.repository = earlier.repository AND m.hash = earlier.hash
            WHERE earlier.repository = ?1 AND earlier.head = own.head AND earlier.place < own.place), -1)
        ORDER BY c.place";
    let mut commits: Vec<String> = connection
        .prepare_cached(sql)?
        .query_map([repository, hash], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if commits.is_empty() {
        commits.push(hash.to_owned());
    }
    Ok(commits)
}

/// The merge that a name belongs to: `#` and its number, the commit that it became, or one of its commits.
fn owner(connection: &Connection, repository: &str, name: &str) -> Answer<Option<Merge>> {
    let read = |row: &rusqlite::Row| Ok(Merge { subject: row.get(0)?, state: row.get(1)? });
    if let Some(number) = name.strip_prefix('#') {
        let sql = "SELECT subject, state FROM merges WHERE repository = ?1 AND number = ?2";
        let number: i64 = number.parse().unwrap_or(-1);
        return Ok(connection
            .prepare_cached(sql)?
            .query_row(params![repository, number], read)
            .optional()?);
    }
    let sql = "SELECT subject, state FROM merges WHERE repository = ?1 AND hash = ?2";
    let became = connection.prepare_cached(sql)?.query_row([repository, name], read).optional()?;
    if became.is_some() {
        return Ok(became);
    }
    let sql = "
        SELECT m.subject, m.state FROM commits c
            JOIN commits own ON own.repository = c.repository AND own.head = c.head AND own.place >= c.place
            JOIN merges m ON m.repository = own.repository AND m.hash = own.hash
        WHERE c.repository = ?1 AND c.hash = ?2 ORDER BY own.place LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row([repository, name], read).optional()?)
}

struct Merge {
    subject: String,
    state: String,
}

/// Notes what a commit or a request (`source`) takes back.
pub(super) fn note(
    connection: &Connection,
    repository: &str,
    source: &str,
    targets: &[String],
) -> Answer<()> {
    for target in targets {
        let insert = "INSERT OR IGNORE INTO reverts VALUES (?1, ?2, ?3)";
        connection.execute(insert, [repository, target, source])?;
    }
    Ok(())
}

/// Takes back the awards of judged merges that reverts touch which name one of `names` or come from it; answers how many.
pub(super) fn apply(connection: &Connection, repository: &str, names: &[&str]) -> Answer<usize> {
    let mut pairs = BTreeSet::new();
    for name in names {
        let sql = "SELECT target, source FROM reverts WHERE repository = ?1 AND (target = ?2 OR source = ?2)";
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_map([repository, name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for pair in found {
            let pair: (String, String) = pair?;
            pairs.insert(pair);
        }
    }
    let mut withdrawn = 0;
    for (target, source) in pairs {
        let Some(merge) = owner(connection, repository, &target)? else { continue };
        let is_own = owner(connection, repository, &source)?.is_some_and(|by| by.subject == merge.subject);
        if merge.state != "judged" || is_own {
            continue;
        }
        connection.execute("UPDATE merges SET state = 'reverted' WHERE subject = ?1", [&merge.subject])?;
        withdrawn +=
            usize::from(outbox::withdraw(connection, &merge.subject, &format!("reverted by {source}"))?);
    }
    Ok(withdrawn)
}

/// What took a merge back, if anything that is not part of it did.
pub(super) fn reverted_by(
    connection: &Connection,
    repository: &str,
    number: u64,
    hash: &str,
) -> Answer<Option<String>> {
    let names = names_of(connection, repository, number, hash)?;
    for name in &names {
        let sql = "SELECT source FROM reverts WHERE repository = ?1 AND target = ?2 ORDER BY source";
        let mut statement = connection.prepare_cached(sql)?;
        for source in statement.query_map([repository, name], |row| row.get::<_, String>(0))? {
            let source = source?;
            if !names.contains(&source) {
                return Ok(Some(source));
            }
        }
    }
    Ok(None)
}

/// What a merge takes back that is not part of it.
pub(super) fn reverts_another(
    connection: &Connection,
    repository: &str,
    number: u64,
    commits: &[String],
) -> Answer<Option<String>> {
    let names: Vec<String> = commits.iter().cloned().chain([format!("#{number}")]).collect();
    for name in &names {
        let sql = "SELECT target FROM reverts WHERE repository = ?1 AND source = ?2 ORDER BY target";
        let mut statement = connection.prepare_cached(sql)?;
        for target in statement.query_map([repository, name], |row| row.get::<_, String>(0))? {
            let target = target?;
            if !names.contains(&target) {
                return Ok(Some(target));
            }
        }
    }
    Ok(None)
}

fn names_of(connection: &Connection, repository: &str, number: u64, hash: &str) -> Answer<Vec<String>> {
    let mut names = commits_of(connection, repository, hash)?;
    names.push(format!("#{number}"));
    Ok(names)
}
