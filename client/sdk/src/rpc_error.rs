//! Errors of asking a node.

use jsonrpsee::core::ClientError;
use sp_core::H256;
use stipend_rpc::error::Code;

/// Why a node did not answer, or why its answer is of no use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RpcError {
    /// No connection, and none could be made in time.
    #[error("cannot reach the node at {url}: {cause}; check that the node runs, that this is its RPC address and that no firewall is between")]
    Unreachable {
        /// Where the node was looked for.
        url: String,
        /// What the transport said.
        cause: String,
    },
    /// The address cannot be one of a node.
    #[error(
        "\"{url}\" is not a node's address: it must begin with ws:// or wss://, such as ws://127.0.0.1:9944"
    )]
    BadUrl {
        /// The address as given.
        url: String,
    },
    /// The node took too long.
    #[error("the node did not answer {method} within {seconds} s; it is overloaded or still syncing: try again later")]
    Timeout {
        /// The method asked for.
        method: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The node answered with an error.
    #[error("the node refused {method}: {message}{}", .data.as_ref().map(|data| format!(" ({data})")).unwrap_or_default())]
    Call {
        /// The method asked for.
        method: String,
        /// JSON-RPC error code; see [`RpcError::code`] for Stipend's own.
        code: i32,
        /// The node's sentence.
        message: String,
        /// The node's data, JSON text.
        data: Option<String>,
    },
    /// The answer is not what the method promises.
    #[error("the node's answer to {method} cannot be read ({cause}); client and node are of different versions: install the client that belongs to the node")]
    Unreadable {
        /// The method asked for.
        method: String,
        /// What did not fit.
        cause: String,
    },
    /// After a reconnect the node is on another chain.
    #[error("the node at {url} is on another chain: its genesis is {found:?}, but this client began on {expected:?}; point the client at a node of the right chain")]
    OtherChain {
        /// Where the node is.
        url: String,
        /// Genesis of the chain that the client began on.
        expected: H256,
        /// Genesis of the chain that the node is on.
        found: H256,
    },
    /// The node has no such block.
    #[error("the node does not know block {0}; it is still syncing, or the block never was")]
    NoSuchBlock(String),
    /// The council does not vote on such a proposal.
    #[error("the council does not vote on {0:?}: it was closed already, or never proposed; `stipend council list` shows what it votes on")]
    NoSuchProposal(H256),
}

impl RpcError {
    /// Stipend's error code, if the node answered with one.
    pub fn code(&self) -> Option<Code> {
        const CODES: [Code; 10] = [
            Code::InvalidParameter,
            Code::BadSignature,
            Code::NotIssuer,
            Code::AlreadyMinted,
            Code::PoolRefused,
            Code::NotFound,
            Code::NotFinalised,
            Code::AllowanceExhausted,
            Code::SecondIssuerNeeded,
            Code::PolicyForbids,
        ];
        match self {
            RpcError::Call { code, .. } => CODES.into_iter().find(|known| *known as i32 == *code),
            _ => None,
        }
    }

    /// Whether asking again later can help: the node or the way to it failed, not the question.
    pub fn is_transient(&self) -> bool {
        matches!(self, RpcError::Unreachable { .. } | RpcError::Timeout { .. })
    }

    pub(crate) fn from_client(method: &str, error: ClientError, timeout_s: u64, url: &str) -> Self {
        let method = method.to_owned();
        match error {
            ClientError::Call(object) => RpcError::Call {
                method,
                code: object.code(),
                message: object.message().to_owned(),
                data: object.data().map(|data| data.get().to_owned()),
            },
            ClientError::RequestTimeout => RpcError::Timeout { method, seconds: timeout_s },
            ClientError::ParseError(error) => RpcError::Unreadable { method, cause: error.to_string() },
            error @ (ClientError::Transport(_) | ClientError::RestartNeeded(_)) => {
                RpcError::Unreachable { url: url.to_owned(), cause: chain_of(&error) }
            }
            other => RpcError::Unreadable { method, cause: other.to_string() },
        }
    }
}

/// An error with its causes, each said once.
pub(crate) fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let sentence = cause.to_string();
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        source = cause.source();
    }
    text
}
