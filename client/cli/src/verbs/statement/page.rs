//! A statement as a page of its own: no script, nothing fetched, made for A4.

use maud::{html, Markup, PreEscaped, DOCTYPE};

use crate::{amount::credits, parse, time, verbs::simulate::dollars};

use super::{
    figures::{ClassFigures, Figures, Line},
    outside::Worth,
    text::{month, signed_credits},
    About,
};

const STYLE: &str = "
@page { size: A4; margin: 18mm 16mm 20mm }
:root { color-scheme: light }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 178mm; padding: 8mm 4mm; color: #16191d; background: #fff;
  font: 10pt/1.4 system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif }
h1 { font-size: 18pt; margin: 0 0 1mm } h2 { font-size: 12pt; margin: 9mm 0 2mm }
p { margin: 0 0 2mm } .kind { color: #50575f; margin-bottom: 6mm }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1mm 6mm; margin: 0 }
dt { color: #50575f } dd { margin: 0; overflow-wrap: anywhere }
section { break-inside: avoid }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-variant-numeric: tabular-nums;
  font-size: 8.5pt; margin-bottom: 2mm }
th, td { padding: 1mm 1.5mm; text-align: right; border-bottom: .2mm solid #d5d9de; vertical-align: bottom }
th:first-child { width: 17mm; text-align: left; white-space: nowrap }
tbody th { font-weight: 400 } .none { color: #6b727a }
thead th { border-bottom: .4mm solid #16191d; font-weight: 600 }
tfoot th, tfoot td { border-top: .4mm solid #16191d; border-bottom: 0; font-weight: 600 }
.notes { margin-top: 10mm; font-size: 8.5pt; color: #3c434b; break-inside: avoid }
@media print { body { padding: 0; max-width: none } }
";

/// The page.
pub(super) fn page(about: &About, figures: &Figures, worth: Option<&Worth>) -> Markup {
    let title = format!("Compute entitlements {}", about.year);
    let people = ["Employee number", "Department"];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) ", " (about.whose()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p.kind { "Statement of what was granted and used" }
                dl {
                    @if let Some([name, more @ ..]) = &about.person {
                        dt { "Name" } dd { (name) }
                        @for (label, value) in people.iter().zip(more) {
                            @if !value.is_empty() { dt { (label) } dd { (value) } }
                        }
                    }
                    dt { "Account" } dd { (parse::address(&about.account)) }
                    dt { "As of" } dd { (time::moment(about.time)) ", finalised block " (about.block) }
                    dt { "Chain" } dd { (format!("{:?}", about.genesis)) }
                }
                @if figures.0.is_empty() { h2 { "Nothing was granted by then." } }
                @for class in &figures.0 { (of_class(class, worth.is_some())) }
                (notes(worth))
            }
        }
    }
}

fn of_class(class: &ClassFigures, with_worth: bool) -> Markup {
    html! {
        section {
            h2 { (class.name) }
            table {
                thead {
                    tr {
                        th scope="col" { "Month" }
                        th scope="col" { "Became usable" }
                        th scope="col" { "Used" }
                        th scope="col" { "Expired" }
                        th scope="col" { "Given back or withdrawn" }
                        th scope="col" { "Left" }
                        @if with_worth { th scope="col" { "Worth outside, USD" } }
                    }
                }
                tbody { @for line in &class.months { (row(&month(line), line, with_worth)) } }
                tfoot { (row("All", &class.year, with_worth)) }
            }
            p {
                "Brought forward " (credits(class.brought_forward)) " credits."
                @if class.usable_later > 0 {
                    " Granted already and usable later: " (credits(class.usable_later)) " credits."
                }
            }
        }
    }
}

fn row(name: &str, line: &Line, with_worth: bool) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            (amount(credits(line.granted), line.granted == 0))
            (amount(signed_credits(line.used), line.used == 0))
            (amount(credits(line.expired), line.expired == 0))
            (amount(credits(line.withdrawn), line.withdrawn == 0))
            (amount(credits(line.left), line.left == 0))
            @if with_worth {
                (amount(line.outside_micro_usd.map_or_else(|| "–".into(), dollars), line.outside_micro_usd == Some(0)))
            }
        }
    }
}

/// An amount; one of nothing steps back, so that the eye finds the others.
fn amount(text: String, is_none: bool) -> Markup {
    html! { td.none[is_none] { (text) } }
}

fn notes(worth: Option<&Worth>) -> Markup {
    html! {
        div.notes {
            p { "Amounts are credits. Months are those of the calendar in UTC; each figure is the difference between \
                 the finalised states of the chain at the ends of two months. Used is what was charged less what was \
                 refunded in the month, so it can be below zero. Left is what could be used at the month's end, \
                 reservations included." }
            @if let Some(worth) = worth {
                p { "Worth outside is what the tokens that were used would have cost at the reference prices of the \
                     price book in force at the month's end. Cached prompt tokens count as prompt tokens; refunds are \
                     not taken off. It is a comparison, not a price that anybody paid." }
                @if !worth.without_price.is_empty() {
                    p { "Without a reference price, and not in it: " (worth.without_price.join(", ")) "." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use stipend_sdk::primitives::ClassId;

    fn about(name: &str) -> About {
        About {
            year: 2026,
            account: parse::account("//Dave").unwrap(),
            person: Some([name.into(), "7".into(), String::new()]),
            genesis: H256([7; 32]),
            block: 12,
            time: 0,
        }
    }

    fn figures() -> Figures {
        let line = Line { granted: 5_000_000, used: -1_000_000, ..Line::default() };
        Figures(vec![ClassFigures {
            class: ClassId::INNOVATION,
            name: "Innovation".into(),
            brought_forward: 0,
            months: vec![line.clone()],
            year: line,
            usable_later: 2_000_000,
        }])
    }

    #[test]
    fn the_page_stands_alone_and_escapes_names() {
        let page = page(&about("<script>alert(1)</script>"), &figures(), None).into_string();
        for forbidden in ["<script", "http://", "https://", "src=", "url(", "@import"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for part in ["&lt;script&gt;", "5.000000", "-1.000000", "2.000000", "size: A4", "Employee number"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("Department") && !page.contains("Worth outside"));
    }

    #[test]
    fn worth_has_its_column_and_its_limits() {
        let worth = Worth { without_price: vec!["big".into()], ..Worth::default() };
        let page = page(&about("Ada"), &figures(), Some(&worth)).into_string();
        assert!(page.contains("Worth outside, USD") && page.contains("not in it: big"));
    }
}
