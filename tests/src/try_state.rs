//! Checks the state of a running chain: fetches all of it from a node and asks every pallet whether
//! it is sound.

use anyhow::{anyhow, Context, Result};
use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClient, ws_client::WsClientBuilder};
use sp_core::{storage::well_known_keys, Bytes, H256};
use stipend_runtime::{Entitlements, Evidence, Governance, Merit, Pricing, Receipts, Roles, Settlement};

/// Keys fetched at a time: what the node's paged method allows.
const PAGE: u32 = 1_000;

/// What the state of a block amounts to.
#[derive(Clone, Copy, Debug)]
pub struct Checked {
    /// Keys in it.
    pub keys: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
}

/// Fetches the state of a block from the node at `url` and checks it.
pub async fn check(url: &str, block: H256) -> Result<Checked> {
    let client = WsClientBuilder::default().max_response_size(64 * 1024 * 1024).build(url).await?;
    let pairs = fetch(&client, block).await.context("the state could not be fetched")?;
    let checked =
        Checked { keys: pairs.len(), bytes: pairs.iter().map(|(key, value)| key.len() + value.len()).sum() };
    let mut state = sp_io::TestExternalities::default();
    for (key, value) in pairs {
        state.insert(key, value);
    }
    state.execute_with(every_pallet)?;
    Ok(checked)
}

/// Has every pallet check its part of the state at hand.
pub fn every_pallet() -> Result<()> {
    let sound = |pallet: &str, result: Result<(), sp_runtime::TryRuntimeError>| {
        result.map_err(|fault| anyhow!("the state of {pallet} is not sound: {fault:?}"))
    };
    sound("roles", Roles::do_try_state())?;
    sound("entitlements", Entitlements::do_try_state())?;
    sound("pricing", Pricing::do_try_state())?;
    sound("receipts", Receipts::do_try_state())?;
    sound("settlement", Settlement::do_try_state())?;
    sound("evidence", Evidence::do_try_state())?;
    sound("governance", Governance::do_try_state())?;
    sound("merit", Merit::do_try_state())
}

/// All keys and values but the runtime's code.
async fn fetch(client: &WsClient, block: H256) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    #[derive(serde::Deserialize)]
    struct ChangeSet {
        changes: Vec<(Bytes, Option<Bytes>)>,
    }
    let (mut pairs, mut last) = (Vec::new(), None::<Bytes>);
    loop {
        let keys: Vec<Bytes> =
            client.request("state_getKeysPaged", rpc_params!["0x", PAGE, &last, block]).await?;
        let Some(end) = keys.last().cloned() else { return Ok(pairs) };
        last = Some(end);
        let wanted: Vec<&Bytes> = keys.iter().filter(|key| key.0 != well_known_keys::CODE).collect();
        let sets: Vec<ChangeSet> = client.request("state_queryStorageAt", rpc_params![wanted, block]).await?;
        for (key, value) in sets.into_iter().flat_map(|set| set.changes) {
            pairs.push((key.0, value.context("a key of the state has no value")?.0));
        }
    }
}
