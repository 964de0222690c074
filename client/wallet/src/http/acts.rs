//! Acts: made here, signed in the browser, carried to the chain and followed.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    Extension, Json,
};
use bytes::Bytes;
use codec::Encode;
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_primitives::AccountId;
use stipend_sdk::{pallet_entitlements, Prepared, RuntimeCall, Unsigned};

use super::{answer::Refusal, App, Viewer, CHAIN_WAIT};
use crate::{
    access::Who,
    acts::{is_an_act, read_grants, Act, Known, Stage},
    chain::{BlockRef, Source},
    db::{Connection, DbError},
    project,
    read::single::{self, Dated},
};

/// Bytes of a request: the largest chunk of a list is 75 kB in hex.
pub(super) const BODY_MAX: usize = 256 * 1_024;

/// How long an act that is final waits for the tables to show it.
const TABLES_WAIT: Duration = Duration::from_secs(60);

/// Between two looks at the tables' height.
const TABLES_LOOK: Duration = Duration::from_millis(50);

/// Reads a request; what is wrong with it is told in a sentence.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("The request cannot be read: {error}.")))
}

fn account_of(viewer: &Viewer) -> Result<AccountId, Refusal> {
    viewer.account.clone().ok_or(Refusal::NotSignedIn)
}

/// The newest block in the tables.
pub(super) fn head(connection: &mut dyn Connection) -> Result<BlockRef, Refusal> {
    project::head(connection)?.ok_or(Refusal::NoChain)
}

/// Makes the transaction of an act, with what it does in plain words. A chunk of a list that was granted
/// before is not made again: the answer says where it stands.
pub(super) async fn prepare<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let (act, account): (Act, _) = (read(&body)?, account_of(&viewer)?);
    if act.is_of_issuers() && !viewer.is(Who::Issuer) {
        return Err(Refusal::invalid("Only an issuer can do this. The council grants the role."));
    }
    let call = act.call()?;
    let (asked, of) = (act.clone(), account.clone());
    let (head, known, candidates) = app
        .pool
        .read(move |connection| {
            let candidates = match &asked {
                Act::GrantMany { grants, after } => {
                    candidates(connection, &of, &read_grants(grants)?, *after)?
                }
                _ => Vec::new(),
            };
            Ok::<_, Refusal>((head(connection)?, Known::read(connection, &asked)?, candidates))
        })
        .await?;
    if let Some(done) = done(&*app, &account, &call, &candidates).await? {
        return Ok(Json(json!({ "done": done_json(&done) })));
    }
    let summary = act.summary(&account, &known)?;
    let made = tokio::time::timeout(CHAIN_WAIT, app.source.unsigned(call, account, head)).await;
    let unsigned = made.map_err(|_| Refusal::NoChain)??;
    Ok(Json(json!({
        "summary": summary,
        "payload": format!("0x{}", hex::encode(unsigned.payload())),
        "transaction": format!("0x{}", hex::encode(unsigned.encode())),
    })))
}

/// Where a chunk can have been granted before.
pub(super) fn candidates(
    connection: &mut dyn Connection,
    issuer: &AccountId,
    grants: &pallet_entitlements::Grants,
    after: Option<u32>,
) -> Result<Vec<Dated>, DbError> {
    match (grants.first(), grants.last()) {
        (Some((first, _)), Some((last, _))) => {
            single::granted_to_both(connection, issuer, (first, last), after)
        }
        _ => Ok(Vec::new()),
    }
}

/// Which of these blocks carried exactly this call of the account's out.
pub(super) async fn done<S: Source>(
    app: &App<S>,
    account: &AccountId,
    call: &RuntimeCall,
    candidates: &[Dated],
) -> Result<Option<Dated>, Refusal> {
    for block in candidates {
        let asked = tokio::time::timeout(CHAIN_WAIT, app.source.calls_of(block.at.hash, account.clone()));
        let calls = asked.await.map_err(|_| Refusal::NoChain)??;
        if calls.contains(call) {
            return Ok(Some(*block));
        }
    }
    Ok(None)
}

pub(super) fn done_json(done: &Dated) -> Value {
    json!({ "block": done.at.number, "moment": done.moment })
}

/// A transaction with the signature that was given for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    transaction: String,
    signature: String,
}

impl Signed {
    /// The transaction, if it is an act of this account's on this chain and its signature holds.
    fn check(&self, account: &AccountId, genesis: H256) -> Result<Prepared, Refusal> {
        let bytes = |text: &str| hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok();
        let unsigned = bytes(&self.transaction)
            .and_then(|bytes| Unsigned::read(&bytes))
            .ok_or_else(|| Refusal::invalid("`transaction` is not what the service made."))?;
        if unsigned.account != *account {
            return Err(Refusal::invalid(
                "The transaction is another account's. Sign in with the key that signs it.",
            ));
        }
        if unsigned.genesis != genesis || !is_an_act(&unsigned.call) {
            return Err(Refusal::invalid("`transaction` is not what the service made."));
        }
        let signature: [u8; 64] = bytes(&self.signature)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| Refusal::invalid("`signature` is not 64 bytes in hex."))?;
        unsigned.signed(&signature).ok_or_else(|| {
            Refusal::invalid(
                "The signature is not your key's over this. Choose the key file that you signed in with.",
            )
        })
    }
}

fn stage_json(act: H256, stage: &Stage) -> Json<Value> {
    let mut answer = serde_json::to_value(stage).unwrap_or_default();
    answer["act"] = json!(act);
    Json(answer)
}

/// Carries a signed act to the chain. The same one again does nothing new.
pub(super) async fn submit<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let (signed, account): (Signed, _) = (read(&body)?, account_of(&viewer)?);
    let signed = signed.check(&account, app.source.genesis())?;
    if let Some(stage) = app.followed.stage(&account, signed.hash) {
        return Ok(stage_json(signed.hash, &stage));
    }
    if !app.followed.begin(&account, signed.hash) {
        return Err(Refusal::invalid("Too many of your acts are on their way. Wait until one is final."));
    }
    let sent = tokio::time::timeout(CHAIN_WAIT, app.source.send(&signed)).await;
    match sent {
        Ok(Err(error)) if matches!(Stage::of(&error), Stage::Refused { .. }) => {
            app.followed.note(&account, signed.hash, Stage::of(&error));
        }
        // Whatever else was said, the blocks will tell.
        _ => drop(tokio::spawn(follow(app.clone(), signed.clone()))),
    }
    let stage = app.followed.stage(&account, signed.hash).unwrap_or(Stage::Pending);
    Ok(stage_json(signed.hash, &stage))
}

/// Follows an act until it is decided and the tables show it.
async fn follow<S: Source>(app: Arc<App<S>>, signed: Prepared) {
    let in_block = |block| app.followed.note(&signed.account, signed.hash, Stage::InBlock { block });
    let stage = match app.source.follow(&signed, in_block).await {
        Ok(block) => {
            let shown = async {
                while app.progress.written().is_none_or(|written| written < block) {
                    tokio::time::sleep(TABLES_LOOK).await;
                }
            };
            // Tables that are far behind do not make it less final.
            let _ = tokio::time::timeout(TABLES_WAIT, shown).await;
            Stage::Final { block }
        }
        Err(error) => Stage::of(&error),
    };
    app.followed.note(&signed.account, signed.hash, stage);
}

/// Where an own act stands.
pub(super) async fn stage<S: Source>(
    State(app): State<Arc<App<S>>>,
    Extension(viewer): Extension<Viewer>,
    Path(act): Path<H256>,
) -> Result<Json<Value>, Refusal> {
    let stage = app.followed.stage(&account_of(&viewer)?, act).ok_or(Refusal::NotFound)?;
    Ok(stage_json(act, &stage))
}
