//! `stipend receipts`: receipts, and the proof that they are on the chain.

mod explain;
mod fetch;
mod signed;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;
use stipend_sdk::{
    primitives::{view::ProviderTotals, AccountId, BlockNumber, Credits, Sequence},
    proof::{Document, PortableReceipt, SignedReceipt, ValidatorSet},
    rpc::BatchStatus,
    ProofError, VerifiedReceipt,
};

use crate::{
    amount::credits,
    context::Context,
    failure::Failure,
    output::{in_credits, Answer, Rows},
    parse,
    verbs::{documents, settlement::verdict_name},
};

/// Receipts.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the batch that holds a receipt.
    Show {
        /// The gateway that metered.
        #[arg(value_parser = parse::account)]
        gateway: AccountId,
        /// The receipt's sequence number.
        sequence: Sequence,
    },
    /// Tell what a request cost and why, how it was settled, and what energy it took.
    Explain {
        /// The gateway that metered.
        #[arg(value_parser = parse::account)]
        gateway: AccountId,
        /// The receipt's sequence number.
        sequence: Sequence,
        /// Block of the batch, for one so old that the chain's state has forgotten it.
        #[arg(long, value_name = "BLOCK")]
        at: Option<BlockNumber>,
    },
    /// Get the proof that a receipt is on the chain: JSON that holds without this node and without any.
    Proof {
        /// The gateway that metered.
        #[arg(value_parser = parse::account)]
        gateway: AccountId,
        /// The receipt's sequence number.
        sequence: Sequence,
        /// Block of the batch, for one so old that the chain's state has forgotten it.
        #[arg(long, value_name = "BLOCK")]
        at: Option<BlockNumber>,
    },
    /// Get what a gateway says of a request, signed: the receipt of one of your wallet's requests.
    Fetch(fetch::Fetch),
    /// Check a proof (the output of `receipts proof`): offline with --validators, else against what the
    /// node calls final. Or check a gateway's receipt (of `receipts fetch`): its signature, and with --proof
    /// that the chain has the same.
    Verify {
        /// The file with the proof or the gateway's receipt.
        file: PathBuf,
        /// The proof of the same request (the output of `receipts proof`), for a gateway's receipt.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
        /// The validators to believe (a file of `validators export`): nothing is asked over the network.
        #[arg(long, value_name = "FILE")]
        validators: Option<PathBuf>,
    },
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show { gateway, sequence } => {
                match context.client().await?.batch_status(&gateway, sequence).await? {
                    Some(status) => show(&status),
                    None => Err(Failure::not_found(format!(
                        "the chain's state knows no batch of this gateway with receipt {sequence}; it is not submitted yet, or so old that only its block remembers it"
                    ))
                    .into()),
                }
            }
            Verb::Explain { gateway, sequence, at } => {
                explain::explain(&context.client().await?.receipt(&gateway, sequence, at).await?)
            }
            Verb::Proof { gateway, sequence, at } => {
                let proof = context.client().await?.prove_receipt(&gateway, sequence, at).await?;
                let document = Document::Receipt(proof);
                Answer::new(&document, documents::text(&document)?)
            }
            Verb::Fetch(fetch) => fetch.run(context).await,
            Verb::Verify { file, proof, validators } => {
                let set = validators.map(|file| documents::validators(&file)).transpose()?;
                match (signed::read(&file)?, proof) {
                    (Some(signed), None) => signed::answer(&signed, None),
                    (Some(signed), Some(proof)) => compare(&signed, &prove(context, &proof, set).await?),
                    (None, None) => prove(context, &file, set).await?.answer(),
                    (None, Some(_)) => Err(Failure::bad_input(format!(
                        "{} is no gateway's receipt, and only one of those can be held against a proof; `stipend \
                         receipts fetch` gets one",
                        file.display()
                    ))
                    .into()),
                }
            }
        }
    }
}

fn show(status: &BatchStatus) -> Result<Answer> {
    let batch = &status.batch;
    let state = if status.finalised { "finalised" } else { "not finalised yet" };
    let headings =
        &["provider", ">receipts", ">input", ">cached", ">output", ">collected", "settled", ">refunded"];
    let mut rows = Rows::new(headings, "no provider");
    for ProviderTotals { provider, count, input, cached_input, output, collected, settled, .. } in
        &batch.providers
    {
        rows.push([
            parse::address(provider),
            count.to_string(),
            input.to_string(),
            cached_input.to_string(),
            output.to_string(),
            credits(*collected),
            settled.as_ref().map_or("open", |settled| verdict_name(settled.verdict)).into(),
            settled.as_ref().map_or_else(String::new, |settled| credits(settled.refunded)),
        ]);
    }
    let human = format!(
        "receipts {} to {} of {}\nblock {} ({state}), batch {:?}\ncharged {}, of which {} nobody covered\n{}",
        batch.first_seq,
        batch.last_seq,
        parse::address(&batch.gateway),
        batch.submitted_at,
        batch.batch_hash,
        in_credits(batch.charged),
        in_credits(batch.uncollected),
        rows.finish()
    );
    Answer::new(status, human)
}

/// A receipt that the chain has, and how that was shown.
struct Proven {
    proof: PortableReceipt,
    verified: VerifiedReceipt,
    /// The model's name, or its number where no price book is at hand.
    model: String,
    /// By the price book, if it is at hand.
    cost: Option<Credits>,
    set: Option<ValidatorSet>,
}

/// Checks a proof: by the signatures of `set`, or believing the node about which blocks are final.
async fn prove(context: &Context, file: &Path, set: Option<ValidatorSet>) -> Result<Proven> {
    let proof = documents::receipt(file)?;
    if let Some(set) = set {
        let verified = proof.verify(&set)?;
        let model = verified.receipt.leaf.model.0.to_string();
        return Ok(Proven { proof, verified, model, cost: None, set: Some(set) });
    }
    let client = context.client().await?;
    if proof.genesis != client.genesis() {
        return Err(ProofError::OtherChain { expected: client.genesis(), found: proof.genesis }.into());
    }
    let verified = client.verify_receipt(&proof.proof()?, &proof.gateway, proof.sequence).await?;
    let receipt = &verified.receipt;
    let book = client.price_book(Some(receipt.book)).await?;
    let entry = book.as_ref().and_then(|book| book.entry(receipt.leaf.model));
    let cost = entry.map(|entry| entry.cost(&receipt.leaf.usage));
    let model = entry.map_or_else(|| receipt.leaf.model.0.to_string(), |entry| parse::text(&entry.name));
    Ok(Proven { proof, verified, model, cost, set: None })
}

impl Proven {
    fn by(&self) -> String {
        let by = "by the node's word that the block is final".to_owned();
        self.set.as_ref().map_or(by, documents::proven_by)
    }

    fn answer(&self) -> Result<Answer> {
        let gateway = &self.proof.gateway;
        let mut answer = verified_answer(&self.verified, gateway, &self.model, self.cost, &self.by())?;
        if let Some(set) = &self.set {
            answer.json["validator_set"] = documents::proven_by_json(set);
        }
        Ok(answer)
    }
}

/// Holds what a gateway signed against what the chain has.
fn compare(signed: &SignedReceipt, chain: &Proven) -> Result<Answer> {
    signed.agrees_with(&chain.proof.genesis, &chain.proof.gateway, &chain.verified)?;
    if chain.cost.is_some_and(|cost| cost != signed.receipt().cost) {
        return Err(ProofError::GatewayContradicts("cost").into());
    }
    let by = format!("in finalised block {}, {}", chain.verified.block_number, chain.by());
    let mut answer = signed::answer(signed, Some(&by))?;
    if let Some(set) = &chain.set {
        answer.json["validator_set"] = documents::proven_by_json(set);
    }
    Ok(answer)
}

fn verified_answer(
    verified: &VerifiedReceipt,
    gateway: &AccountId,
    model: &str,
    cost: Option<Credits>,
    proven_by: &str,
) -> Result<Answer> {
    let receipt = &verified.receipt;
    let usage = &receipt.leaf.usage;
    let digest = format!("0x{}", hex::encode(receipt.leaf.digest));
    let json = json!({
        "verified": true,
        "gateway": gateway,
        "sequence": receipt.leaf.seq,
        "wallet": receipt.wallet,
        "provider": receipt.provider,
        "model": model,
        "input": usage.input,
        "cached_input": usage.cached_input,
        "output": usage.output,
        "price_book": receipt.book,
        "cost": cost.map(|cost| cost.to_string()),
        "priority_fee": receipt.priority_fee.to_string(),
        "digest": digest,
        "block_number": verified.block_number,
        "block_hash": verified.block_hash,
        "root": verified.commitment.root,
    });
    let mut rows = Rows::new(&["receipt", &receipt.leaf.seq.to_string()], "");
    for (name, value) in [
        ("gateway", parse::address(gateway)),
        ("wallet", parse::address(&receipt.wallet)),
        ("provider", parse::address(&receipt.provider)),
        ("model", model.to_owned()),
        ("tokens", format!("{} in, {} cached, {} out", usage.input, usage.cached_input, usage.output)),
        ("cost", cost.map_or_else(|| format!("by price book {}, not at hand", receipt.book), in_credits)),
        ("priority fee", in_credits(u128::from(receipt.priority_fee))),
        ("digest", digest),
    ] {
        rows.push([name.into(), value]);
    }
    let human =
        format!("{}\nproven: in finalised block {}, {proven_by}", rows.finish(), verified.block_number);
    Answer::new(json, human)
}

#[cfg(test)]
mod tests;
