//! A statement on the terminal and in JSON.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::{
    amount::credits,
    output::{Answer, Rows},
    parse, time,
    verbs::simulate::dollars,
};

use super::{
    figures::{Figures, Line},
    outside::Worth,
    About,
};

/// Writes an amount that may be below zero.
pub(super) fn signed_credits(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", credits(amount.unsigned_abs()))
}

/// The name of a month: its year and number.
pub(super) fn month(line: &Line) -> String {
    time::moment(line.from).chars().take(7).collect()
}

pub(super) fn answer(
    about: &About,
    figures: &Figures,
    worth: Option<&Worth>,
    out: Option<&Path>,
) -> Result<Answer> {
    let mut human = format!(
        "{}, {}, as of finalised block {} at {}",
        about.whose(),
        about.year,
        about.block,
        time::moment(about.time)
    );
    let headings =
        &["class", "month", ">usable new", ">used", ">expired", ">withdrawn", ">left", ">outside, USD"];
    let mut rows = Rows::new(headings, "nothing was granted by then");
    for class in &figures.0 {
        for (name, line) in
            class.months.iter().map(|line| (month(line), line)).chain([("all".into(), &class.year)])
        {
            rows.push([
                class.name.clone(),
                name,
                credits(line.granted),
                signed_credits(line.used),
                credits(line.expired),
                credits(line.withdrawn),
                credits(line.left),
                line.outside_micro_usd.map_or_else(|| "-".into(), dollars),
            ]);
        }
    }
    human.push_str(&format!("\n{}", rows.finish()));
    if let Some(out) = out {
        human.push_str(&format!("\n{} is the page to print.", out.display()));
    }
    let json = json!({
        "year": about.year,
        "account": parse::address(&about.account),
        "person": about.person,
        "genesis": about.genesis,
        "block_number": about.block,
        "time": about.time,
        "classes": figures,
        "without_price": worth.map(|worth| &worth.without_price),
        "out": out,
    });
    Answer::new(json, human)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_below_zero_keeps_its_sign() {
        assert_eq!(signed_credits(-1), "-0.000001");
        assert_eq!(signed_credits(2_500_000), "2.500000");
    }
}
