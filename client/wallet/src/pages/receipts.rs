//! Receipts: lists, and one explained coefficient by coefficient.

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;

use super::{
    layout,
    words::{credits, energy, grams, short, thousands, when},
};
use crate::{
    http::Viewer,
    read::{
        receipts::{Explained, Receipt},
        AsOf,
    },
};

/// A wallet's receipts, newest first.
pub fn of_wallet(viewer: &Viewer, owner: &AccountId, at: AsOf, rows: &[Receipt], limit: u32) -> Markup {
    let path = format!("/wallets/{}/receipts", owner.to_ss58check());
    let inside = html! {
        (layout::tabs(owner, "Receipts"))
        (table(rows, false))
        (layout::more(&path, next(rows, limit)))
    };
    layout::page(viewer, "Receipts", at, &path, inside)
}

/// Everybody's receipts, newest first.
pub fn of_everybody(viewer: &Viewer, at: AsOf, rows: &[Receipt], limit: u32) -> Markup {
    let inside = html! { (table(rows, true)) (layout::more("/audit/receipts", next(rows, limit))) };
    layout::page(viewer, "All receipts", at, "/audit/receipts", inside)
}

fn next(rows: &[Receipt], limit: u32) -> Option<String> {
    rows.last().filter(|_| rows.len() == limit as usize).map(|last| last.cursor.text())
}

fn table(rows: &[Receipt], with_wallet: bool) -> Markup {
    html! {
        @if rows.is_empty() {
            p.empty { "No receipts." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Receipts" {
                table {
                    thead { tr {
                        th scope="col" { "When (UTC)" }
                        @if with_wallet { th scope="col" { "Wallet" } }
                        th scope="col" { "Model" }
                        th.number scope="col" { "Prompt" } th.number scope="col" { "Generated" }
                        th.number scope="col" { "Cost" } th scope="col" { "Class" }
                        th.number scope="col" { "Priority fee" } th scope="col" { "Settled" }
                        th scope="col" { span.hidden { "Details" } }
                    } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (when(row.moment)) }
                                @if with_wallet { td { a href=(format!("/wallets/{}", row.wallet.to_ss58check())) { (short(&row.wallet)) } } }
                                td { (row.model_name) }
                                td.number { (thousands(u128::from(row.usage.input) + u128::from(row.usage.cached_input))) }
                                td.number { (thousands(row.usage.output.into())) }
                                td.number { (credits(row.cost)) }
                                td { (row.class_name) }
                                td.number { (credits(row.fee)) }
                                td { (verdict(row.verdict.as_deref())) }
                                td { a href=(link(row)) { "Explain" span.hidden { " receipt " (row.sequence) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn link(row: &Receipt) -> String {
    format!("/receipts/{}/{}", row.gateway.to_ss58check(), row.sequence)
}

fn verdict(name: Option<&str>) -> Markup {
    html! {
        @match name {
            Some("match") => span.good { "match" },
            Some(other) => span.tag { (other) },
            None => span.pending { "open" },
        }
    }
}

/// One receipt.
pub fn explained(viewer: &Viewer, at: AsOf, found: &Explained) -> Markup {
    let (receipt, price, entry) = (&found.receipt, &found.price, &found.entry);
    let parts: [(&str, u64, u64, u128); 3] = [
        ("Prompt tokens, computed", receipt.usage.input.into(), entry.c_input, price.input),
        ("Prompt tokens, cached", receipt.usage.cached_input.into(), entry.c_cached, price.cached_input),
        ("Generated tokens", receipt.usage.output.into(), entry.c_output, price.output),
    ];
    let inside = html! {
        p { a href=(format!("/wallets/{}/receipts", receipt.wallet.to_ss58check())) { "All receipts of this wallet" } }
        section.card {
            dl.facts {
                dt { "When" } dd { (when(receipt.moment)) ", final block " (receipt.block) }
                dt { "Model" } dd { (receipt.model_name) }
                dt { "Wallet" } dd { code { (receipt.wallet.to_ss58check()) } }
                dt { "Gateway, number" } dd { code { (receipt.gateway.to_ss58check()) } ", " (receipt.sequence) }
                dt { "Served by" } dd { code { (receipt.provider.to_ss58check()) } }
                dt { "Request" } dd { code { (receipt.digest) } }
            }
        }
        section aria-labelledby="cost" {
            h2 id="cost" { "What it cost, and why" }
            div.scroll tabindex="0" role="region" aria-label="Cost" {
                table {
                    thead { tr {
                        th scope="col" { "Part" } th.number scope="col" { "Count" }
                        th.number scope="col" { "Credits each" } th.number scope="col" { "Credits" }
                    } }
                    tbody {
                        @for (name, count, each, amount) in parts {
                            tr {
                                th scope="row" { (name) }
                                td.number { (thousands(count.into())) }
                                td.number { (credits(each.into())) }
                                td.number { (credits(amount)) }
                            }
                        }
                        tr {
                            th scope="row" { "The request itself (weight of the model)" }
                            td.number { (entry.weight) }
                            td.number { (credits(entry.c_model.into())) }
                            td.number { (credits(price.model)) }
                        }
                    }
                    tfoot {
                        tr { th scope="row" colspan="3" { "Base cost, paid in " (receipt.class_name) } td.number { (credits(price.cost)) } }
                        tr { th scope="row" colspan="3" { "Priority fee, paid in Priority" } td.number { (credits(price.priority_fee)) } }
                    }
                }
            }
            p.note { "By price book " (price.book) "." @if receipt.uncollected + receipt.uncollected_fee > 0 {
                " Of this, " (credits(receipt.uncollected + receipt.uncollected_fee)) " was covered by nobody: the wallet did not pay it."
            } }
        }
        section aria-labelledby="settlement" {
            h2 id="settlement" { "Settlement" }
            @match (&receipt.verdict, receipt.settled) {
                (Some(name), Some(block)) => {
                    p { "Its batch was settled in block " (block) ": " (verdict(Some(name))) "." }
                    @if found.refunds.is_empty() {
                        p { "Nothing was given back to this wallet." }
                    } @else {
                        @for refund in &found.refunds {
                            p { "Given back to this wallet for its receipts in the batch: " (credits(refund.given)) " of " (refund.name) "." }
                        }
                    }
                }
                _ => p { "Its batch is not settled yet: the validators compare what gateway and provider counted." },
            }
        }
        section aria-labelledby="energy" {
            h2 id="energy" { "Energy" }
            @match (receipt.energy_mj, found.emitted_mg) {
                (Some(used), Some(emitted)) => p { (energy(used.into())) ", " (grams(emitted)) " of CO₂e." },
                (Some(used), None) => p { (energy(used.into())) "; what the provider's grid emits is not known." },
                (None, _) => p { "Nobody measured it, or the batch is not settled yet." },
            }
        }
        section aria-labelledby="proof" {
            h2 id="proof" { "Proof" }
            p { "A file that shows, to anybody and without this service, that the receipt is in a block that the validators signed." }
            p { a.button href=(format!("/api/v1{}/proof", link(receipt))) download=(format!("receipt-{}-proof.json", receipt.sequence)) { "Download the proof" } }
            p.note { "Check it with " code { "stipend receipts verify FILE --validators FILE" } "." }
        }
    };
    layout::page(viewer, &format!("Receipt {}", receipt.sequence), at, "", inside)
}
