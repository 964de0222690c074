//! What arrives uninvited: transactions of strangers, and far more of one employee than a block takes.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use codec::Encode;
use futures::{future::try_join_all, stream, StreamExt};
use jsonrpsee::{
    core::{client::ClientT, params::BatchRequestBuilder},
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use sp_core::{ed25519, Bytes, Pair, H256};
use sp_runtime::{generic::Era, MultiAddress, MultiSignature};
use stipend_runtime::{transaction::tx_extension, RuntimeCall, SignedPayload, UncheckedExtrinsic, VERSION};

/// Transactions in one JSON-RPC batch.
const BATCH: usize = 1_000;

/// Connections of strangers. A node takes 6,000 requests a minute from each, so that nobody needs only one.
const CONNECTIONS: usize = 16;

/// JSON-RPC batches under way at once on a connection.
const AT_ONCE: usize = 4;

/// Bytes of one JSON-RPC batch or answer.
const MESSAGE_BYTES_MAX: u32 = 32 * 1024 * 1024;

/// How many transactions got which answer.
pub type Answers = BTreeMap<String, usize>;

/// Whose transactions they are.
#[derive(Clone)]
pub enum Attacker {
    /// A new key for each: nobody that the chain knows.
    Strangers,
    /// One account with a wallet, from this transaction number on.
    Employee(Box<ed25519::Pair>, u32),
}

impl Attacker {
    fn transactions(&self, genesis: H256, from: usize, count: usize) -> Vec<Bytes> {
        (from..from + count)
            .map(|number| match self {
                Attacker::Strangers => transaction(&ed25519::Pair::generate().0, genesis, 0),
                Attacker::Employee(key, nonce) => transaction(key, genesis, nonce + number as u32),
            })
            .collect()
    }
}

/// Hands `count` transactions to the node at `url`, as many at once as it takes.
pub async fn attack(url: &str, attacker: Attacker, genesis: H256, count: usize) -> Result<Answers> {
    // An account's transactions go in order over one connection: a pool that meets the later ones first
    // has to keep them apart.
    let connections = match attacker {
        Attacker::Strangers => CONNECTIONS,
        Attacker::Employee(..) => 1,
    };
    let share = count.div_ceil(connections);
    let parts = (0..count).step_by(share.max(1)).map(|from| {
        let size = share.min(count - from);
        attack_over_one(url, attacker.clone(), genesis, from, size)
    });
    let mut answers = Answers::new();
    for part in try_join_all(parts).await? {
        for (answer, count) in part {
            *answers.entry(answer).or_default() += count;
        }
    }
    Ok(answers)
}

async fn attack_over_one(
    url: &str,
    attacker: Attacker,
    genesis: H256,
    first: usize,
    count: usize,
) -> Result<Answers> {
    let client = WsClientBuilder::default()
        .max_request_size(MESSAGE_BYTES_MAX)
        .max_response_size(MESSAGE_BYTES_MAX)
        .request_timeout(std::time::Duration::from_secs(600))
        .build(url)
        .await?;
    let batches = (first..first + count).step_by(BATCH).map(|from| {
        let (attacker, client) = (attacker.clone(), &client);
        let size = BATCH.min(first + count - from);
        async move {
            let made =
                tokio::task::spawn_blocking(move || attacker.transactions(genesis, from, size)).await?;
            hand_in(client, made).await
        }
    });
    let mut answers = Answers::new();
    let mut results = stream::iter(batches).buffered(AT_ONCE);
    while let Some(result) = results.next().await {
        for (answer, count) in result? {
            *answers.entry(answer).or_default() += count;
        }
    }
    Ok(answers)
}

async fn hand_in(client: &WsClient, transactions: Vec<Bytes>) -> Result<Answers> {
    let mut batch = BatchRequestBuilder::new();
    for transaction in transactions {
        batch.insert("author_submitExtrinsic", rpc_params![transaction]).context("hex in JSON")?;
    }
    let mut answers = Answers::new();
    for answer in client.batch_request::<H256>(batch).await? {
        let answer = match answer {
            Ok(_) => "taken".to_owned(),
            Err(error) => {
                let data = error.data().map(|data| format!(": {}", data.get().trim_matches('"')));
                format!("{} {}{}", error.code(), error.message(), data.unwrap_or_default())
            }
        };
        // A pool's sentence may name numbers and hashes; what it is about comes first.
        let kind = answer.split_once(": (").map_or(answer.as_str(), |(kind, _)| kind).to_owned();
        *answers.entry(kind).or_default() += 1;
    }
    Ok(answers)
}

/// A remark, signed by whoever holds `key`.
fn transaction(key: &ed25519::Pair, genesis: H256, nonce: u32) -> Bytes {
    let call = RuntimeCall::System(frame_system::Call::remark { remark: nonce.encode() });
    let versions = (VERSION.spec_version, VERSION.transaction_version);
    // What is signed and not sent, in the order of the extension; immortal, so the genesis twice.
    let implicit = ((), (), versions.0, versions.1, genesis, genesis, (), (), ());
    let payload = SignedPayload::from_raw(call, tx_extension(Era::Immortal, nonce), implicit);
    let signature = payload.using_encoded(|bytes| key.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    let sender = MultiAddress::Id(key.public().0.into());
    let signature = MultiSignature::Ed25519(signature);
    Bytes(UncheckedExtrinsic::new_signed(call, sender, signature, extension).encode())
}
