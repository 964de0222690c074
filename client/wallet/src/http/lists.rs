//! Lists of grants: checked whole, with what of them was granted before, and cut into chunks to sign.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    Extension, Json,
};
use bytes::Bytes;
use codec::Encode;
use futures::{stream, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{json, Value};
use sp_core::H256;
use stipend_primitives::{mint::Grant, AccountId, ClassId, Credits};
use stipend_sdk::{
    grant_list::{self, Fault, Held, Ledger, Row},
    pallet_entitlements::{Call, Grants},
    RuntimeCall,
};

use super::{
    acts::{candidates, done_json, head},
    answer::Refusal,
    App, Viewer, CHAIN_WAIT,
};
use crate::{
    acts,
    chain::{BlockRef, Source},
    db::Connection,
    project::now_ms,
    read::{
        alike::{self, Alike},
        grants, programs,
        single::Dated,
        Names,
    },
};

/// Bytes of a list: ten thousand lines with all columns are half of it.
pub(super) const BODY_MAX: usize = 2 * 1_024 * 1_024;

/// Lines of a list.
const LINES_MAX: usize = 10_000;

/// Grants of a list, all parts of plans together: a hundred chunks, some minutes to sign.
const GRANTS_MAX: usize = 51_200;

/// Blocks looked into at a time.
const LOOK_AT_ONCE: usize = 8;

/// Which part of the past counts.
#[derive(Deserialize)]
pub(super) struct Past {
    /// What was granted up to this block does not: the list is granted again on purpose.
    after: Option<u32>,
}

/// A chunk: some rows in one call.
struct Chunk {
    rows: Vec<Row>,
    grants: Grants,
    candidates: Vec<Dated>,
    done: Option<Dated>,
}

/// Checks a list. Either every fault is named with its lines and its column, or the list comes back in
/// chunks, each with whether it was granted before.
pub(super) async fn check<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    Query(past): Query<Past>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let issuer = viewer.account.clone().ok_or(Refusal::NotSignedIn)?;
    let rows = match grant_list::read(&body[..], &acts::account) {
        Ok(rows) => rows,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let faults = too_long(&rows);
    if !faults.is_empty() {
        return Ok(refuse(&faults));
    }
    let of = issuer.clone();
    let (at, mut chunks) = app
        .pool
        .read(move |connection| {
            Ok::<_, Refusal>((head(connection)?, cut(connection, &of, &rows, past.after)?))
        })
        .await?;
    find_done(&app, &issuer, &mut chunks).await?;
    let open: Vec<Row> = open_rows(&chunks).cloned().collect();
    let asked = tokio::time::timeout(CHAIN_WAIT, app.source.issuing(issuer.clone(), at)).await;
    let ledger = asked.map_err(|_| Refusal::NoChain)??;
    let asked = tokio::time::timeout(CHAIN_WAIT, app.source.forbidden(open.clone(), at)).await;
    let forbidden = asked.map_err(|_| Refusal::NoChain)??;
    let (ledger, preview) = app
        .pool
        .read(move |connection| {
            let ledger = held(connection, ledger, &open)?;
            let alike = alike::granted(connection, &issuer, &open, past.after)?;
            let preview =
                Preview { names: Names::read(connection)?, programs: programs::list(connection)?, alike };
            Ok::<_, Refusal>((ledger, preview))
        })
        .await?;
    let open: Vec<Row> = open_rows(&chunks).cloned().collect();
    let mut faults = ledger.faults(&open, now_ms());
    faults.extend(forbidden);
    if !faults.is_empty() {
        return Ok(refuse(&faults));
    }
    Ok(Json(preview.json(at, &chunks, &open, &ledger)).into_response())
}

/// Every fault, each with its lines, its column and what to do; nothing is granted.
fn refuse(faults: &[Fault]) -> Response {
    let faults: Vec<Value> = faults
        .iter()
        .map(|fault| {
            let prefix = fault.column.map(|column| format!("{column}: ")).unwrap_or_default();
            let reason = fault.message.strip_prefix(&prefix).unwrap_or(&fault.message);
            json!({ "lines": grant_list::ranges(&fault.lines), "column": fault.column, "reason": reason })
        })
        .collect();
    let error = format!("The list has {} faults. Nothing of it was granted.", faults.len());
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error, "faults": faults }))).into_response()
}

fn too_long(rows: &[Row]) -> Vec<Fault> {
    let lines: BTreeSet<u64> = rows.iter().map(|row| row.line).collect();
    let mut faults = Vec::new();
    for (count, most, what) in
        [(lines.len(), LINES_MAX, "lines"), (rows.len(), GRANTS_MAX, "grants with all parts of its plans")]
    {
        if count > most {
            faults.push(Fault::whole(format!(
                "the list has {count} {what}; a list has at most {most}: cut it into several files"
            )));
        }
    }
    faults
}

/// The list in chunks, each with the blocks that may have granted it before. The cut depends on the rows
/// alone, so the same file is the same chunks at any time.
fn cut(
    connection: &mut dyn Connection,
    issuer: &AccountId,
    rows: &[Row],
    after: Option<u32>,
) -> Result<Vec<Chunk>, Refusal> {
    let mut rest = rows;
    let mut chunks = Vec::new();
    for count in grant_list::chunks(rows, grant_list::lines_max) {
        let (rows, others) = rest.split_at(count);
        rest = others;
        let Some(RuntimeCall::Entitlements(Call::mint_many { grants })) = grant_list::call(rows) else {
            return Err(Refusal::Broken);
        };
        let candidates = candidates(connection, issuer, &grants, after)?;
        chunks.push(Chunk { rows: rows.to_vec(), grants, candidates, done: None });
    }
    Ok(chunks)
}

/// Looks which chunks the chain carried out before; each block is read once.
async fn find_done<S: Source>(app: &App<S>, issuer: &AccountId, chunks: &mut [Chunk]) -> Result<(), Refusal> {
    let blocks: BTreeSet<H256> =
        chunks.iter().flat_map(|chunk| chunk.candidates.iter().map(|block| block.at.hash)).collect();
    let look = |hash: H256| async move {
        let asked = tokio::time::timeout(CHAIN_WAIT, app.source.calls_of(hash, issuer.clone())).await;
        let calls = asked.map_err(|_| Refusal::NoChain)??;
        Ok::<_, Refusal>((hash, calls))
    };
    let known: HashMap<H256, Vec<RuntimeCall>> =
        stream::iter(blocks).map(look).buffer_unordered(LOOK_AT_ONCE).try_collect().await?;
    for chunk in chunks {
        let call = RuntimeCall::from(Call::mint_many { grants: chunk.grants.clone() });
        let holds = |block: &&Dated| known.get(&block.at.hash).is_some_and(|calls| calls.contains(&call));
        chunk.done = chunk.candidates.iter().find(holds).copied();
    }
    Ok(())
}

fn open_rows(chunks: &[Chunk]) -> impl Iterator<Item = &Row> {
    chunks.iter().filter(|chunk| chunk.done.is_none()).flat_map(|chunk| &chunk.rows)
}

/// The ledger with what the owners of several hold already.
fn held(connection: &mut dyn Connection, ledger: Ledger, rows: &[Row]) -> Result<Ledger, Refusal> {
    let mut held = Held::new();
    for owner in ledger.owners_of_several(rows) {
        for grant in grants::of_owner(connection, &owner)? {
            if grant.amounts.available > 0 || grant.amounts.reserved > 0 {
                *held.entry((grant.owner, grant.class)).or_default() += 1;
            }
        }
    }
    Ok(ledger.holding(held))
}

/// What stands beside a list that is in order.
struct Preview {
    names: Names,
    programs: Vec<programs::Program>,
    alike: Alike,
}

impl Preview {
    fn json(&self, at: BlockRef, chunks: &[Chunk], open: &[Row], ledger: &Ledger) -> Value {
        let parts: Vec<Value> = chunks.iter().map(chunk_json).collect();
        let all = chunks.iter().flat_map(|chunk| &chunk.rows);
        let baskets = open.iter().filter(|row| matches!(row.grant, Grant::Basket { .. })).count();
        let people: BTreeSet<&AccountId> = all.clone().map(|row| &row.owner).collect();
        json!({
            "as_of": at.number,
            "grants": all.count(),
            "open": open.len(),
            "people": people.len(),
            "baskets": baskets,
            "chunks": parts,
            "programs": self.of_programs(open, ledger),
            "classes": self.of_classes(open, ledger),
            "period_ends_at": ledger.allowance().map(|allowance| allowance.period_ends_at),
            "alike": self.alike,
        })
    }

    /// What is taken of each budget.
    fn of_programs(&self, open: &[Row], ledger: &Ledger) -> Vec<Value> {
        let named = |id| self.programs.iter().find(|program| program.id == id);
        let row = |(id, amount): (u32, Credits)| {
            let program = named(id);
            json!({
                "program": id,
                "name": program.map(|program| &program.name),
                "class": program.map(|program| &program.class_name),
                "amount": amount.to_string(),
                "unminted": ledger.program(id).map(|program| program.unminted.to_string()),
            })
        };
        ledger.totals(open).into_iter().map(row).collect()
    }

    /// What is taken of each class's allowance.
    fn of_classes(&self, open: &[Row], ledger: &Ledger) -> Vec<Value> {
        let mut sums: BTreeMap<ClassId, Credits> = BTreeMap::new();
        for (program, amount) in ledger.totals(open) {
            if let Some(program) = ledger.program(program) {
                let sum = sums.entry(program.class).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        let left = |class| {
            let rows = ledger.allowance().map(|allowance| allowance.classes.as_slice()).unwrap_or_default();
            rows.iter().find(|row| row.class == class).map(|row| row.left.to_string())
        };
        sums.into_iter()
            .map(|(class, amount)| {
                json!({ "class": self.names.class(class), "amount": amount.to_string(), "left": left(class) })
            })
            .collect()
    }
}

fn chunk_json(chunk: &Chunk) -> Value {
    let lines = chunk.rows.first().zip(chunk.rows.last()).map(|(first, last)| [first.line, last.line]);
    json!({
        "lines": lines,
        "count": chunk.rows.len(),
        "grants": format!("0x{}", hex::encode(chunk.grants.encode())),
        "done": chunk.done.as_ref().map(done_json),
    })
}
