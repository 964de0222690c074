//! `stipend receipts explain`: what a request cost and why, how it was settled, and what energy it took.

use anyhow::Result;
use stipend_sdk::rpc::ReceiptView;

use crate::{
    amount::credits,
    output::{Answer, Rows},
    parse,
    verbs::settlement::{thousandths, verdict_name},
};

/// Tells everything about a receipt.
pub(crate) fn explain(receipt: &ReceiptView) -> Result<Answer> {
    let (price, usage) = (&receipt.price, &receipt.usage);
    let mut rows = Rows::new(&["part", ">tokens", ">credits"], "");
    for (part, tokens, amount) in [
        ("prompt, computed", usage.input.to_string(), price.input),
        ("prompt, cached", usage.cached_input.to_string(), price.cached_input),
        ("generated", usage.output.to_string(), price.output),
        ("per request", String::new(), price.model),
        ("base cost", String::new(), price.cost),
        ("priority fee (class Priority)", String::new(), price.priority_fee),
    ] {
        rows.push([part.into(), tokens, credits(amount)]);
    }
    let settled = match &receipt.settled {
        Some(settled) => format!(
            "its batch was settled as {} in block {}, with {} credits given back to its wallets",
            verdict_name(settled.verdict),
            settled.at,
            credits(settled.refunded)
        ),
        None => "its batch is not settled, or so long ago that the state has forgotten how".into(),
    };
    let energy = match (receipt.energy_mj, receipt.emitted_mg) {
        (Some(energy), Some(emitted)) => {
            format!("{} J, {} g of CO2e", thousandths(energy.into()), thousandths(emitted))
        }
        (Some(energy), None) => {
            format!("{} J; what its grid emits is not known", thousandths(energy.into()))
        }
        (None, _) => "energy: nobody measured it".into(),
    };
    let human = format!(
        "receipt {} of {}, in block {}: {} for {}, served by {}\n{}\npaid in class {} by price book {}\n{settled}\n{energy}",
        receipt.sequence,
        parse::address(&receipt.gateway),
        receipt.block,
        receipt.model,
        parse::address(&receipt.wallet),
        parse::address(&receipt.provider),
        rows.finish(),
        price.class.0,
        price.book,
    );
    Answer::new(receipt, human)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{
        attestation::GpuUse,
        cost::Usage,
        settlement::VerdictKind,
        view::{Quote, Settled},
        ClassId,
    };

    fn receipt() -> ReceiptView {
        ReceiptView {
            gateway: parse::account("//Ferdie").unwrap(),
            sequence: 7,
            block: 12,
            wallet: parse::account("//Dave").unwrap(),
            provider: parse::account("//Eve").unwrap(),
            model: "tiny".into(),
            digest: vec![1; 16].into(),
            usage: Usage { input: 100, cached_input: 20, output: 30 },
            price: Quote {
                book: 2,
                class: ClassId(0),
                premium: false,
                input: 100,
                cached_input: 20,
                output: 60,
                model: 5,
                cost: 185,
                priority_fee: 9,
            },
            settled: None,
            energy_mj: None,
            emitted_mg: None,
        }
    }

    #[test]
    fn the_cost_is_told_part_by_part() {
        let answer = explain(&receipt()).unwrap();
        for part in ["0.000100", "0.000185", "0.000009", "tiny", "nobody measured", "not settled"] {
            assert!(answer.human.contains(part), "{part}: {}", answer.human);
        }
        assert_eq!(answer.json["price"]["cost"], "185");
        assert_eq!(answer.json["energy_mj"], serde_json::Value::Null);
    }

    #[test]
    fn energy_and_emissions_are_told_where_they_are_known() {
        let gpu = GpuUse { time_ms: None, energy_mj: Some(9_000) };
        let settled = Some(Settled { verdict: VerdictKind::Match, refunded: 0, gpu, at: 14 });
        let measured = ReceiptView { settled, energy_mj: Some(4_500), ..receipt() };
        let answer = explain(&measured).unwrap();
        assert!(answer.human.contains("4.500 J; what its grid emits is not known"), "{}", answer.human);
        assert!(answer.human.contains("settled as match in block 14"));
        let answer = explain(&ReceiptView { emitted_mg: Some(2), ..measured }).unwrap();
        assert!(answer.human.contains("4.500 J, 0.002 g of CO2e"), "{}", answer.human);
    }
}
