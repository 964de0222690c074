//! One WebSocket to a node that mends itself.
//!
//! Every request of this SDK may be sent twice without harm (reads, and transactions that the pool
//! knows by hash), so a request that a broken connection swallowed is simply sent again.

use std::{future::Future, sync::Arc, time::Duration};

use jsonrpsee::{
    core::{
        client::{ClientT, Subscription, SubscriptionClientT},
        ClientError,
    },
    rpc_params,
    ws_client::{PingConfig, WsClient, WsClientBuilder},
};
use serde::de::DeserializeOwned;
use sp_core::H256;
use tokio::{
    sync::Mutex,
    time::{sleep, Instant},
};

use crate::rpc_error::{chain_of, RpcError};

/// Bytes of one request or answer: a block of 16 MiB is 32 MiB of hex, and JSON around it.
const MESSAGE_BYTES_MAX: u32 = 40 * 1024 * 1024;

/// One request's answer; computing a heavy runtime call takes seconds, never a minute.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a request waits for the connection to come back before it fails.
const RECONNECT_WAIT: Duration = Duration::from_secs(30);

/// First pause between two attempts to connect; it doubles up to [`RECONNECT_PAUSE_MAX`].
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between two attempts to connect.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// A connection that is up, or will be again.
pub(crate) struct Connection {
    url: String,
    genesis: H256,
    current: Mutex<Option<Arc<WsClient>>>,
}

impl Connection {
    /// Connects, trying again until `patience` is over.
    pub(crate) async fn open(url: &str, patience: Duration) -> Result<Self, RpcError> {
        if !(url.starts_with("ws://") || url.starts_with("wss://")) {
            return Err(RpcError::BadUrl { url: url.to_owned() });
        }
        let (client, genesis) = dial_until(url, patience).await?;
        Ok(Connection { url: url.to_owned(), genesis, current: Mutex::new(Some(Arc::new(client))) })
    }

    pub(crate) fn genesis(&self) -> H256 {
        self.genesis
    }

    /// Asks the node with plain parameters.
    pub(crate) async fn request<R, P>(&self, method: &'static str, params: P) -> Result<R, RpcError>
    where
        R: DeserializeOwned,
        P: jsonrpsee::core::traits::ToRpcParams + Clone + Send,
    {
        self.call(method, |client| {
            let params = params.clone();
            async move { client.request(method, params).await }
        })
        .await
    }

    /// Subscribes once; a subscription ends with its connection.
    pub(crate) async fn subscribe<N, P>(
        &self,
        method: &'static str,
        params: P,
        unsubscribe: &'static str,
    ) -> Result<Subscription<N>, RpcError>
    where
        N: DeserializeOwned,
        P: jsonrpsee::core::traits::ToRpcParams + Clone + Send,
    {
        self.call(method, |client| {
            let params = params.clone();
            async move { client.subscribe(method, params, unsubscribe).await }
        })
        .await
    }

    /// Runs `ask` on the connection, again on a new one if the old one broke meanwhile.
    pub(crate) async fn call<T, F, Fut>(&self, method: &str, ask: F) -> Result<T, RpcError>
    where
        F: Fn(Arc<WsClient>) -> Fut,
        Fut: Future<Output = Result<T, ClientError>>,
    {
        let deadline = Instant::now() + RECONNECT_WAIT;
        loop {
            let client = self.client(deadline).await?;
            match ask(client.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_broken(&error) && Instant::now() < deadline => {
                    tracing::debug!(method, %error, "the connection broke; asking again on a new one");
                    self.discard(&client).await;
                }
                Err(error) => {
                    return Err(RpcError::from_client(method, error, REQUEST_TIMEOUT.as_secs(), &self.url))
                }
            }
        }
    }

    /// The connection, made anew if it is gone. Callers wait here together: one of them dials.
    async fn client(&self, deadline: Instant) -> Result<Arc<WsClient>, RpcError> {
        let mut current = self.current.lock().await;
        if let Some(client) = current.as_ref().filter(|client| client.is_connected()) {
            return Ok(client.clone());
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        let (client, found) = dial_until(&self.url, patience).await?;
        if found != self.genesis {
            return Err(RpcError::OtherChain { url: self.url.clone(), expected: self.genesis, found });
        }
        tracing::info!(url = %self.url, "connected to the node again");
        let client = Arc::new(client);
        *current = Some(client.clone());
        Ok(client)
    }

    async fn discard(&self, broken: &Arc<WsClient>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|client| Arc::ptr_eq(client, broken)) {
            *current = None;
        }
    }
}

fn is_broken(error: &ClientError) -> bool {
    matches!(error, ClientError::Transport(_) | ClientError::RestartNeeded(_))
}

async fn dial_until(url: &str, patience: Duration) -> Result<(WsClient, H256), RpcError> {
    let deadline = Instant::now() + patience;
    let mut pause = RECONNECT_PAUSE;
    loop {
        match dial(url).await {
            Ok(dialled) => return Ok(dialled),
            Err(error) if Instant::now() + pause >= deadline => return Err(error),
            Err(error) => tracing::debug!(%error, "no connection yet"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(RECONNECT_PAUSE_MAX);
    }
}

async fn dial(url: &str) -> Result<(WsClient, H256), RpcError> {
    let unreachable =
        |error: ClientError| RpcError::Unreachable { url: url.to_owned(), cause: chain_of(&error) };
    let client = WsClientBuilder::default()
        .max_request_size(MESSAGE_BYTES_MAX)
        .max_response_size(MESSAGE_BYTES_MAX)
        .request_timeout(REQUEST_TIMEOUT)
        // Notices a peer that vanished without closing.
        .enable_ws_ping(PingConfig::new())
        .build(url)
        .await
        .map_err(unreachable)?;
    let genesis = client.request("chain_getBlockHash", rpc_params![0u32]).await.map_err(unreachable)?;
    Ok((client, genesis))
}
