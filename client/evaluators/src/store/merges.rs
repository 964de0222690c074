//! Webhooks taken in, and merges judged once they were held for long enough.

use rusqlite::{params, Connection, OptionalExtension};
use stipend_primitives::Moment;

use super::{
    awards::{give, Award, Awarded},
    reverts, Answer, Store, StoreError,
};
use crate::{
    config::MergeRule,
    forge::{Event, Forge, Merged, Pushed},
    outcome::ReceiptId,
    report::{Report, Reports},
};

/// A webhook as it is told apart from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What the forge calls it.
    pub name: String,
    /// SHA-256 of its body.
    pub body: [u8; 32],
}

/// What became of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the journal; so many awards were taken back for it.
    New {
        /// How many.
        withdrawn: usize,
    },
    /// It was in the journal before, by its name or by its body.
    Known,
    /// Another body came under its name before.
    Contradicts,
}

/// A merge that was held and is judged now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was judged.
    Awarded(Awarded),
    /// It was reverted while it was held.
    Reverted(String),
}

struct Held {
    subject: String,
    repository: String,
    number: u64,
    title: String,
    hash: String,
    receipts: Vec<ReceiptId>,
    malformed: u64,
    purpose: Option<String>,
}

impl Store {
    /// Takes a webhook in: all of it or, on an error, nothing.
    pub fn take(&mut self, forge: &Forge, delivery: &Delivery, event: &Event, now: Moment) -> Answer<Taken> {
        self.transaction(|connection, _| {
            let known: Option<Vec<u8>> = connection
                .query_row(
                    "SELECT body FROM deliveries WHERE forge = ?1 AND delivery = ?2",
                    params![forge.name, delivery.name],
                    |row| row.get(0),
                )
                .optional()?;
            if known.is_some_and(|body| body != delivery.body) {
                return Ok(Taken::Contradicts);
            }
            // A name is not signed: who replays a body under a new one meets the body.
            let insert = "INSERT OR IGNORE INTO deliveries VALUES (?1, ?2, ?3, ?4)";
            let values = params![forge.name, delivery.name, delivery.body, now as i64];
            if connection.execute(insert, values)? == 0 {
                return Ok(Taken::Known);
            }
            let withdrawn = match event {
                Event::Other(_) => 0,
                Event::Pushed(pushed) => push(connection, &key(forge, &pushed.repository), pushed)?,
                Event::Merged(merged) => merge(connection, forge, merged, now)?,
            };
            Ok(Taken::New { withdrawn })
        })
    }

    /// Judges the oldest merge that was held for long enough, if there is one.
    pub fn judge_due(
        &mut self,
        rule: &MergeRule,
        receipts_max: usize,
        now: Moment,
    ) -> Answer<Option<Judged>> {
        let before = now.saturating_sub(rule.hold_minutes * 60_000);
        self.transaction(|connection, reports| {
            let Some(held) = due(connection, before)? else { return Ok(None) };
            if let Some(by) = reverts::reverted_by(connection, &held.repository, held.number, &held.hash)? {
                set(connection, &held.subject, "reverted")?;
                return Ok(Some(Judged::Reverted(format!("{} by {by}", held.subject))));
            }
            let awarded = judge(connection, reports, &held, rule, receipts_max, now)?;
            set(connection, &held.subject, "judged")?;
            Ok(Some(Judged::Awarded(awarded)))
        })
    }
}

/// A repository among those of all forges.
fn key(forge: &Forge, repository: &str) -> String {
    format!("{}:{repository}", forge.name)
}

fn push(connection: &Connection, repository: &str, pushed: &Pushed) -> Answer<usize> {
    if pushed.is_forced {
        // What was merged may no longer be on the branch, and a webhook does not say what is.
        let dropped = "UPDATE merges SET state = 'dropped' WHERE repository = ?1 AND state = 'held'";
        let count = connection.execute(dropped, [repository])?;
        tracing::warn!(
            repository,
            held = count,
            "the branch's history was replaced: held merges earn nothing"
        );
    }
    for (place, (hash, mentions)) in pushed.commits.iter().enumerate() {
        connection.execute(
            "INSERT OR IGNORE INTO commits VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                repository,
                hash,
                pushed.after,
                place as i64,
                text(&mentions.receipts),
                mentions.malformed.len() as i64
            ],
        )?;
        reverts::note(connection, repository, hash, &mentions.reverts)?;
    }
    let hashes: Vec<&str> = pushed.commits.iter().map(|(hash, _)| hash.as_str()).collect();
    reverts::apply(connection, repository, &hashes)
}

fn merge(connection: &Connection, forge: &Forge, merged: &Merged, now: Moment) -> Answer<usize> {
    let repository = key(forge, &merged.repository);
    let named = format!("#{}", merged.number);
    connection.execute(
        "INSERT OR IGNORE INTO merges VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'held')",
        params![
            format!("merge:{repository}{named}"),
            repository,
            merged.number as i64,
            merged.title,
            merged.commit,
            text(&merged.mentions.receipts),
            merged.mentions.malformed.len() as i64,
            forge.purpose,
            now as i64
        ],
    )?;
    reverts::note(connection, &repository, &named, &merged.mentions.reverts)?;
    reverts::apply(connection, &repository, &[&named])
}

fn due(connection: &Connection, before: Moment) -> Answer<Option<Held>> {
    let found = connection
        .query_row(
            "SELECT subject, repository, number, title, hash, receipts, malformed, purpose FROM merges
             WHERE state = 'held' AND moment <= ?1 ORDER BY moment, subject LIMIT 1",
            [before as i64],
            |row| {
                let held = Held {
                    subject: row.get(0)?,
                    repository: row.get(1)?,
                    number: row.get::<_, i64>(2)? as u64,
                    title: row.get(3)?,
                    hash: row.get(4)?,
                    receipts: Vec::new(),
                    malformed: row.get::<_, i64>(6)? as u64,
                    purpose: row.get(7)?,
                };
                Ok((held, row.get::<_, String>(5)?))
            },
        )
        .optional()?;
    found.map(|(held, receipts)| Ok(Held { receipts: ids(&receipts)?, ..held })).transpose()
}

fn judge(
    connection: &Connection,
    reports: &Reports,
    held: &Held,
    rule: &MergeRule,
    receipts_max: usize,
    now: Moment,
) -> Answer<Awarded> {
    let commits = reverts::commits_of(connection, &held.repository, &held.hash)?;
    let (mut receipts, mut malformed) = (held.receipts.clone(), held.malformed);
    for hash in &commits {
        let sql = "SELECT receipts, malformed FROM commits WHERE repository = ?1 AND hash = ?2";
        let said = connection
            .query_row(sql, params![held.repository, hash], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((said, not_understood)) = said else { continue };
        malformed += not_understood as u64;
        for id in ids(&said)? {
            if !receipts.contains(&id) {
                receipts.push(id);
            }
        }
    }
    let mut report = Report::new("A change was merged");
    report.fact("repository", &held.repository);
    report.fact("pull request", held.number);
    report.fact("title", &held.title);
    report.fact("commit", &held.hash);
    report.fact("commits known of it", commits.len());
    report.fact("receipts named", receipts.len());
    report.fact("trailers that name no receipt", malformed);
    let weight = match reverts::reverts_another(connection, &held.repository, held.number, &commits)? {
        Some(target) => Err(format!("it takes back {target}, and taking back earns nothing")),
        None if receipts.len() > receipts_max => {
            Err(format!("it names {} receipts; at most {receipts_max} are looked at", receipts.len()))
        }
        None => Ok(rule.weight),
    };
    let (subject, kind, purpose) = (held.subject.clone(), rule.kind.clone(), held.purpose.clone());
    let award = Award { subject, kind, weight, purpose, receipts, report };
    give(connection, reports, &award, now)
}

fn set(connection: &Connection, subject: &str, state: &str) -> Answer<()> {
    connection.execute("UPDATE merges SET state = ?2 WHERE subject = ?1", [subject, state])?;
    Ok(())
}

fn text(receipts: &[ReceiptId]) -> String {
    receipts.iter().map(ReceiptId::to_string).collect::<Vec<_>>().join(",")
}

fn ids(text: &str) -> Answer<Vec<ReceiptId>> {
    let ids = text.split(',').filter(|id| !id.is_empty()).map(str::parse);
    ids.collect::<Result<_, _>>().map_err(|_| StoreError::Damaged("a receipt's id that is none".into()))
}
