//! A program that is no Stipend node and asks one for a block: what a stranger with the SDK's source
//! would write.

use std::{io, time::Duration};

use anyhow::{bail, Context, Result};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use jsonrpsee::core::async_trait;
use libp2p::{
    identity::Keypair,
    noise,
    request_response::{self, Behaviour, Codec, Config, Event, Message, ProtocolSupport},
    swarm::SwarmEvent,
    tcp, yamux, Multiaddr, StreamProtocol, SwarmBuilder,
};
use sp_core::H256;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer is smaller than this.
const ANSWER_MAX: u64 = 16 * 1024 * 1024;

/// What a node does with a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answers: the bytes of its response.
    Given(Vec<u8>),
    /// It gives no answer to this one.
    Refused,
}

/// Asks the node at `address` for the header and the body of block `number`, as whoever holds the
/// node key `secret`.
pub async fn ask_for_block(address: &str, genesis: H256, secret: [u8; 32], number: u32) -> Result<Answer> {
    let protocol = format!("/{}/sync/2", hex::encode(genesis));
    ask(address, protocol, secret, block_request(number)).await
}

/// Asks for the runtime's version as light clients do: by having the node prove a call.
pub async fn ask_for_proof(address: &str, genesis: H256, secret: [u8; 32]) -> Result<Answer> {
    let protocol = format!("/{}/light/2", hex::encode(genesis));
    // RemoteCallRequest { block = 2, method = 3, data = 4 } in field 1 of the request.
    let mut call = field(2, genesis.as_bytes());
    call.extend(field(3, b"Core_version"));
    call.extend(field(4, &[]));
    ask(address, protocol, secret, field(1, &call)).await
}

async fn ask(address: &str, protocol: String, mut secret: [u8; 32], request: Vec<u8>) -> Result<Answer> {
    let address: Multiaddr = address.parse().context("not a multiaddress")?;
    let protocol = StreamProtocol::try_from_owned(protocol)?;
    let key = Keypair::ed25519_from_bytes(&mut secret)?;
    let mut swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| {
            let config = Config::default().with_request_timeout(TIMEOUT);
            Behaviour::with_codec(LengthPrefixed, [(protocol, ProtocolSupport::Outbound)], config)
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(TIMEOUT))
        .build();
    swarm.dial(address)?;
    let asked = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                    swarm.behaviour_mut().send_request(&peer_id, request.clone());
                }
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Response { response, .. }, ..
                }) => {
                    return Ok(Answer::Given(response));
                }
                SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => {
                    use request_response::OutboundFailure::{
                        ConnectionClosed, Io, Timeout, UnsupportedProtocols,
                    };
                    return match error {
                        ConnectionClosed | Io(_) => Ok(Answer::Refused),
                        Timeout => bail!("the node neither answers nor refuses"),
                        UnsupportedProtocols => bail!("the node does not know this protocol"),
                        other => bail!("the question could not be asked: {other}"),
                    };
                }
                SwarmEvent::OutgoingConnectionError { error, .. } => bail!("no connection: {error}"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(2 * TIMEOUT, asked).await.context("the node is silent")?
}

/// `BlockRequest` of the SDK's `api.v1.proto`: header and body (1 and 2, in the high byte) of one block.
fn block_request(number: u32) -> Vec<u8> {
    let mut request = varint_field(1, u64::from(0b11_u32 << 24));
    request.extend(field(3, &number.to_le_bytes()));
    request.extend(varint_field(6, 1));
    request
}

/// A length-delimited field of a protocol buffer.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

fn varint_field(number: u8, value: u64) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    bytes.extend(varint(value));
    bytes
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Messages after their length, as the SDK's request protocols have them.
#[derive(Clone)]
struct LengthPrefixed;

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Vec<u8>> {
    let (mut length, mut shift) = (0_u64, 0);
    loop {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        length |= u64::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] < 0x80 {
            break;
        }
        if shift > 56 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if length > ANSWER_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length as usize];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, bytes: &[u8]) -> io::Result<()> {
    io.write_all(&varint(bytes.len() as u64)).await?;
    io.write_all(bytes).await?;
    io.close().await
}

#[async_trait]
impl Codec for LengthPrefixed {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()> {
        write(io, &request).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Vec<u8>,
    ) -> io::Result<()> {
        write(io, &response).await
    }
}
