//! Issues test evidence and shows what a verifier makes of it.
//!
//! ```text
//! cargo run -p stipend-evidence-token --example issue -- --provider-key 01…01 --block 02…02 --devices 2
//! ```
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use serde_json::json;
use sp_core::H256;
use stipend_evidence_token::{
    issue::{test_policy, Issuer, Statement},
    nonce, verify,
};

/// Issues attestation tokens of NVIDIA's form with a test key: for networks without a GPU.
#[derive(Parser)]
struct Arguments {
    /// The provider's public key: 64 hexadecimal digits.
    #[arg(long, value_parser = hash)]
    provider_key: H256,
    /// Hash of the block that the evidence is for: 64 hexadecimal digits.
    #[arg(long, value_parser = hash)]
    block: H256,
    /// How many GPUs to attest.
    #[arg(long, default_value_t = 1)]
    devices: usize,
    /// When the tokens are issued (Unix time, ms) [default: now].
    #[arg(long)]
    now_ms: Option<u64>,
    /// What the test key follows from. The same seed gives the same key.
    #[arg(long, default_value = "stipend")]
    seed: String,
}

fn hash(text: &str) -> Result<H256, String> {
    let bytes = hex::decode(text.trim_start_matches("0x")).map_err(|error| error.to_string())?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| "64 hexadecimal digits are needed".to_string())?;
    Ok(H256(bytes))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let now_ms = match arguments.now_ms {
        Some(now_ms) => now_ms,
        None => u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?,
    };
    let issuer = Issuer::new(&arguments.seed);
    let nonce = nonce(&arguments.provider_key.0, &arguments.block);
    let bundle = Statement::new(&nonce, now_ms, arguments.devices).bundle(&issuer);

    let verdict = match verify(&bundle, &issuer.key_set(), &nonce, now_ms, &test_policy()) {
        Ok(evidence) => format!(
            "genuine: {} device(s), counts until {} ms",
            evidence.devices.len(),
            evidence.expires_at_ms
        ),
        Err(refusal) => refusal.to_string(),
    };
    let shown = json!({
        "nonce": hex::encode(nonce),
        "bundle": serde_json::from_slice::<serde_json::Value>(&bundle)?,
        "jwks": issuer.jwks(),
        "verdict": verdict,
    });
    println!("{shown}");
    Ok(())
}
