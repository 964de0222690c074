//! An issuer of test tokens as a service on the provider's machine, where the GPU and NVIDIA's verifier would be.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use stipend_evidence_token::issue::{Issuer, Statement};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Bytes of a request that are read: the attestor's has a few hundred.
const REQUEST_BYTES_MAX: usize = 8 << 10;

/// GPUs of the machine.
pub const GPUS: usize = 2;

/// The key that the tokens are signed with.
pub fn issuer() -> Issuer {
    Issuer::new("end to end")
}

/// Attests two GPUs for any nonce, until it is told to stop.
pub struct IssuerService {
    /// Where it answers, as the attestor's configuration has it.
    pub url: String,
    works: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl IssuerService {
    /// Starts it.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/evidence?nonce={{nonce}}", listener.local_addr()?);
        let (works, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let (answers, counts) = (works.clone(), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::Relaxed);
                let works = answers.load(Ordering::Relaxed);
                // Whoever asked may have gone away.
                tokio::spawn(async move { serve(&mut stream, works).await.ok() });
            }
        });
        Ok(IssuerService { url, works, asked, task })
    }

    /// From now on it refuses, as a machine does whose GPU is gone.
    pub fn stop(&self) {
        self.works.store(false, Ordering::Relaxed);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for IssuerService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: &mut TcpStream, works: bool) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < REQUEST_BYTES_MAX {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let nonce = head.split("nonce=").nth(1).and_then(|rest| rest.get(..64)).context("no nonce")?;
    let nonce: [u8; 32] = hex::decode(nonce)?.try_into().ok().context("a nonce has 32 bytes")?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let (status, body) = if works {
        ("200 OK", Statement::new(&nonce, now_ms, GPUS).bundle(&issuer()))
    } else {
        ("503 Service Unavailable", Vec::new())
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    Ok(stream.shutdown().await?)
}
