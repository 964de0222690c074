//! GPU providers that cheat, on real sockets.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex,
    },
    time::Duration,
};

use anyhow::Result;
use sp_core::H256;
use stipend_primitives::{
    attestation::{Attestation, SignedAttestation},
    batch::Batch,
    cost::Usage,
    leaf::UsageLeaf,
    Sequence,
};
use stipend_sdk::Signer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// Bytes of a request that are read: the validators' requests have a few hundred.
const REQUEST_BYTES_MAX: usize = 8 << 10;

/// What the flood announces, and sends for as long as somebody reads.
const FLOOD_BYTES: usize = 1 << 30;

/// How a provider cheats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// Signs for half of what it served.
    UnderReports,
    /// Signs for twice what it served.
    OverReports,
    /// Signs what it served, and half of it, in turn.
    TellsTwoTruths,
    /// Answers with what it signed for the range before.
    Replays,
    /// Signs with a key that nobody registered.
    SignsWithAnotherKey,
    /// Signs for another chain.
    SignsForAnotherChain,
    /// Answers with half a JSON document.
    Tears,
    /// Answers with a gigabyte.
    Floods,
    /// Answers byte by byte, for ever.
    Drips,
    /// Never answers.
    Hangs,
    /// Sends the validators elsewhere, where they would hear what they want to hear.
    Redirects,
    /// Signs what it served, and that each receipt took so many millijoules: an honest provider, unless these
    /// are too many.
    Takes(u64),
}

impl Cheat {
    /// All that are settled by other rules than an honest provider.
    pub const ALL: [Cheat; 11] = [
        Cheat::UnderReports,
        Cheat::OverReports,
        Cheat::TellsTwoTruths,
        Cheat::Replays,
        Cheat::SignsWithAnotherKey,
        Cheat::SignsForAnotherChain,
        Cheat::Tears,
        Cheat::Floods,
        Cheat::Drips,
        Cheat::Hangs,
        Cheat::Redirects,
    ];
}

/// A provider that cheats.
pub struct HostileProvider {
    /// How.
    pub cheat: Cheat,
    /// Its account; the same key signs its attestations.
    pub signer: Signer,
    /// Where it answers.
    pub url: String,
    served: Arc<Served>,
    task: JoinHandle<()>,
}

/// What it knows.
struct Served {
    cheat: Cheat,
    key: Signer,
    provider: Signer,
    genesis: H256,
    /// What it served, by gateway in hex and range.
    ranges: Mutex<HashMap<String, (Batch, Vec<UsageLeaf>)>>,
    asked: AtomicUsize,
}

impl HostileProvider {
    /// Starts one on a free port.
    pub async fn start(cheat: Cheat, genesis: H256) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let signer = Signer::generate();
        let key = if cheat == Cheat::SignsWithAnotherKey { Signer::generate() } else { signer.clone() };
        let genesis = if cheat == Cheat::SignsForAnotherChain { H256::repeat_byte(7) } else { genesis };
        let served = Arc::new(Served {
            cheat,
            key,
            provider: signer.clone(),
            genesis,
            ranges: Mutex::default(),
            asked: AtomicUsize::new(0),
        });
        let serving = served.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = serving.clone();
                // Whoever hangs up early ends it: that is what the validators should do.
                tokio::spawn(async move { drop(served.answer(stream).await) });
            }
        });
        Ok(HostileProvider { cheat, signer, url, served, task })
    }

    /// Tells it that it served its lines of `batch`, as the gateway counted them.
    pub fn serve(&self, batch: &Batch) {
        let leaves = leaves_of(batch, &self.signer);
        let mut ranges = self.served.ranges.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        ranges.insert(name_of(batch), (batch.clone(), leaves));
    }

    /// What it claims to have been used where the gateway says `usage`; `None` if it signs nothing
    /// that counts.
    pub fn claims(&self, usage: Usage) -> Option<Usage> {
        match self.cheat {
            Cheat::UnderReports => Some(Usage { output: usage.output / 2, ..usage }),
            Cheat::OverReports => Some(Usage { output: usage.output * 2, ..usage }),
            _ => None,
        }
    }

    /// Times that somebody asked it.
    pub fn asked(&self) -> usize {
        self.served.asked.load(Ordering::Relaxed)
    }

    /// The two truths about `batch`, as evidence.
    pub fn two_truths(&self, batch: &Batch) -> [SignedAttestation; 2] {
        let honest = leaves_of(batch, &self.signer);
        [self.served.sign(batch, &honest), self.served.sign(batch, &scaled(&honest, 1, 2))]
    }
}

impl Drop for HostileProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    async fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let request = read_head(&mut stream).await?;
        let path = request.split(' ').nth(1).unwrap_or_default();
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        match self.cheat {
            Cheat::Hangs => {
                sleep(Duration::from_secs(3_600)).await;
            }
            Cheat::Floods => flood(&mut stream).await?,
            Cheat::Drips => drip(&mut stream).await?,
            Cheat::Tears => respond(&mut stream, b"{\"attestation\":{\"provider\":").await?,
            Cheat::Redirects if !path.starts_with("/elsewhere") => {
                let head =
                    format!("HTTP/1.1 302 Found\r\nlocation: /elsewhere{path}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
            }
            _ => {
                let path = path.trim_start_matches("/elsewhere").trim_start_matches("/v1/attestations/");
                let (range, wants_leaves) = match path.strip_suffix("/leaves") {
                    Some(range) => (range, true),
                    None => (path, false),
                };
                let body = self.body(range, wants_leaves, asked);
                respond(&mut stream, &body.unwrap_or_default()).await?;
            }
        }
        Ok(())
    }

    fn body(&self, range: &str, wants_leaves: bool, asked: usize) -> Option<Vec<u8>> {
        let ranges = self.ranges.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (batch, leaves) = ranges.get(range)?;
        let (batch, leaves) = match self.cheat {
            Cheat::UnderReports => (batch.clone(), scaled(leaves, 1, 2)),
            Cheat::OverReports => (batch.clone(), scaled(leaves, 2, 1)),
            Cheat::TellsTwoTruths if !asked.is_multiple_of(2) => (batch.clone(), scaled(leaves, 1, 2)),
            Cheat::Replays => (before(batch), leaves.clone()),
            _ => (batch.clone(), leaves.clone()),
        };
        if wants_leaves {
            return Some(leaves.iter().flat_map(UsageLeaf::to_bytes).collect());
        }
        serde_json::to_vec(&self.sign(&batch, &leaves)).ok()
    }

    fn sign(&self, batch: &Batch, leaves: &[UsageLeaf]) -> SignedAttestation {
        let sum = |part: fn(&Usage) -> u32| leaves.iter().map(|leaf| u64::from(part(&leaf.usage))).sum();
        let attestation = Attestation {
            provider: self.provider.account(),
            gateway: batch.gateway.clone(),
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            count: leaves.len() as u32,
            input: sum(|usage| usage.input),
            cached_input: sum(|usage| usage.cached_input),
            output: sum(|usage| usage.output),
            root: UsageLeaf::root(leaves),
            gpu_time_ms: None,
            energy_mj: match self.cheat {
                Cheat::Takes(millijoules) => Some(millijoules * leaves.len() as u64),
                _ => None,
            },
        };
        let signature = self.key.sign(&attestation.signing_payload(&self.genesis));
        SignedAttestation { attestation, signature }
    }
}

/// The range of as many receipts before `batch`; after it, where it is the first.
fn before(batch: &Batch) -> Batch {
    let count = Sequence::from(batch.receipts_count());
    Batch { first_seq: batch.first_seq.checked_sub(count).unwrap_or(count), ..batch.clone() }
}

/// How a validator names the range of `batch`.
fn name_of(batch: &Batch) -> String {
    let gateway: &[u8] = batch.gateway.as_ref();
    format!("{}/{}/{}", hex::encode(gateway), batch.first_seq, batch.last_seq())
}

fn leaves_of(batch: &Batch, provider: &Signer) -> Vec<UsageLeaf> {
    let account = provider.account();
    let receipts = (batch.first_seq..).zip(batch.records());
    let leaves = receipts.filter_map(|(seq, record)| {
        let line = batch.lines.get(usize::from(record.line))?;
        let leaf = UsageLeaf { seq, model: line.model, usage: record.usage, digest: record.digest };
        (line.provider == account).then_some(leaf)
    });
    leaves.collect()
}

fn scaled(leaves: &[UsageLeaf], times: u32, divided_by: u32) -> Vec<UsageLeaf> {
    let scale = |leaf: &UsageLeaf| {
        let output = leaf.usage.output * times / divided_by;
        UsageLeaf { usage: Usage { output, ..leaf.usage }, ..*leaf }
    };
    leaves.iter().map(scale).collect()
}

async fn read_head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < REQUEST_BYTES_MAX {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn respond(stream: &mut TcpStream, body: &[u8]) -> Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    Ok(stream.shutdown().await?)
}

async fn flood(stream: &mut TcpStream) -> Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {FLOOD_BYTES}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let zeros = vec![b'0'; 1 << 16];
    for _ in 0..FLOOD_BYTES / zeros.len() {
        stream.write_all(&zeros).await?;
    }
    Ok(())
}

async fn drip(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
    loop {
        stream.write_all(b" ").await?;
        sleep(Duration::from_millis(200)).await;
    }
}
