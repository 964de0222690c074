//! Receipts that a gateway signed.

use std::path::Path;

use anyhow::Result;
use serde_json::{json, Value};
use stipend_sdk::{
    primitives::AccountId,
    proof::{GatewayReceipt, SignedReceipt},
};

use crate::{
    failure::Failure,
    output::{in_credits, Answer, Rows},
    parse,
    time::moment,
    verbs::settlement::verdict_name,
};

/// The receipt in a file; `None` if the file is something else.
pub(super) fn read(file: &Path) -> Result<Option<SignedReceipt>> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    let label = serde_json::from_slice::<Value>(&bytes).ok();
    let format = label.as_ref().and_then(|document| document["format"].as_str());
    match format {
        Some(format) if format.starts_with("stipend-gateway-receipt/") => {
            Ok(Some(SignedReceipt::read(&bytes)?))
        }
        _ => Ok(None),
    }
}

/// What a receipt says and who vouches for it: `proven` is how the chain's record of the request was proven.
pub(super) fn answer(signed: &SignedReceipt, proven: Option<&str>) -> Result<Answer> {
    let receipt = signed.receipt();
    let mut json = serde_json::to_value(receipt)?;
    json["verified"] = json!(true);
    json["agreesWithChain"] = json!(proven.is_some());
    let vouched = match proven {
        Some(by) => format!("signed by the gateway, and the chain has the same: {by}"),
        None => "signed by the gateway; that the chain has the same shows with --proof FILE, the output of `stipend \
                 receipts proof`"
            .into(),
    };
    Answer::new(json, format!("{}\n{vouched}", table(receipt)))
}

fn table(receipt: &GatewayReceipt) -> String {
    let mut rows = Rows::new(&["receipt", &receipt.sequence.to_string()], "");
    let address = |account: &AccountId| parse::address(account);
    let model = receipt.model_name.clone().unwrap_or_else(|| receipt.model.0.to_string());
    let hash = |hash: sp_core::H256| format!("{hash:?}");
    let tokens = format!("{} in, {} cached, {} out", receipt.input, receipt.cached_input, receipt.output);
    let known = [
        ("id", Some(hex::encode(receipt.id))),
        ("gateway", Some(address(&receipt.gateway))),
        ("wallet", Some(address(&receipt.wallet))),
        ("provider", Some(address(&receipt.provider))),
        ("model", Some(model)),
        ("made at", receipt.time_ms.map(moment)),
        ("tokens", Some(tokens)),
        ("cost", Some(format!("{} of class {}", in_credits(receipt.cost), receipt.class.0))),
        ("price book", Some(receipt.price_book.to_string())),
        ("priority fee", Some(in_credits(receipt.priority_fee))),
        ("held", receipt.held.map(in_credits)),
        ("request SHA-256", receipt.request_sha256.map(hash)),
        ("answer SHA-256", receipt.response_sha256.map(hash)),
        (
            "batch",
            receipt.batch.map(|batch| {
                format!("receipts {} to {}, in block {}", batch.first_seq, batch.last_seq, batch.block)
            }),
        ),
        (
            "settled",
            receipt
                .settlement
                .map(|settled| format!("{}, in block {}", verdict_name(settled.verdict), settled.block)),
        ),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            rows.push([name.into(), value]);
        }
    }
    rows.finish()
}
