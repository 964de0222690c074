//! What an auditor sees.

use std::collections::BTreeMap;

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;

use super::{
    layout, programs, wallet,
    words::{credits, short, thousands},
};
use crate::{
    http::Viewer,
    read::{
        days::{Back, Energy, Used},
        programs::Program,
        wallets::Listed,
        AsOf, Names,
    },
};

/// Everything on the overview.
pub struct View {
    /// As of when.
    pub at: AsOf,
    /// First day of sums.
    pub from_day: u64,
    /// Used by day.
    pub used: Vec<Used>,
    /// Came back by day.
    pub back: Vec<Back>,
    /// Energy by provider.
    pub energy: Vec<Energy>,
    /// All budgets.
    pub programs: Vec<Program>,
}

/// The overview.
pub fn page(viewer: &Viewer, view: &View) -> Markup {
    let mut names = Names::default();
    for row in &view.used {
        names.classes.insert(row.class, row.class_name.clone());
    }
    for program in &view.programs {
        names.classes.insert(program.class, program.class_name.clone());
    }
    let receipts: u64 = view.used.iter().map(|row| row.receipts).sum();
    let sum = |amount: fn(&Back) -> u128| view.back.iter().map(amount).sum::<u128>();
    let charged: BTreeMap<String, u128> = view.used.iter().fold(BTreeMap::new(), |mut sums, row| {
        *sums.entry(row.class_name.clone()).or_default() += row.cost;
        sums
    });
    let inside = html! {
        ul.tiles {
            li { strong { (thousands(receipts.into())) } "requests in these days" }
            @for (class, amount) in &charged {
                li { strong { (credits(*amount)) } "of " (class) " charged" }
            }
            li { strong { (credits(sum(|row| row.refunded))) } "given back by settlements" }
            li { strong { (credits(sum(|row| row.uncollected))) } "covered by nobody" }
        }
        (wallet::spending(view.at, view.from_day, &view.used, &view.back, &names))
        (wallet::energy_table(&view.energy))
        section aria-labelledby="programs" { h2 id="programs" { "Programs" } (programs::table(&view.programs)) }
        section aria-labelledby="files" {
            h2 id="files" { "Exports of everything" }
            p.note { "Each is as of one final block and adds up to what the wallets have spent, to the micro-credit." }
            (layout::exports("/api/v1/export"))
        }
    };
    layout::page(viewer, "Overview", view.at, "/audit", inside)
}

/// All wallets.
pub fn wallets(viewer: &Viewer, at: AsOf, names: &Names, rows: &[Listed], limit: u32) -> Markup {
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|last| last.number.to_string());
    let inside = html! {
        div.scroll tabindex="0" role="region" aria-label="Wallets" {
            table {
                thead { tr {
                    th scope="col" { "Wallet" } th scope="col" { "Class" }
                    th.number scope="col" { "Granted" } th.number scope="col" { "Available" }
                    th.number scope="col" { "Reserved" } th.number scope="col" { "Spent" }
                } }
                tbody {
                    @for row in rows {
                        @for (place, (class, amounts)) in row.classes.iter().enumerate() {
                            tr {
                                th scope="row" {
                                    @if place == 0 { a href=(format!("/wallets/{}", row.owner.to_ss58check())) { (short(&row.owner)) } }
                                    @else { span.hidden { (row.owner.to_ss58check()) } }
                                }
                                td { (names.class(*class)) }
                                td.number { (credits(amounts.granted)) }
                                td.number { (credits(amounts.available)) }
                                td.number { (credits(amounts.reserved)) }
                                td.number { (credits(amounts.spent)) }
                            }
                        }
                    }
                }
            }
        }
        (layout::more("/audit/wallets", next))
    };
    layout::page(viewer, "All wallets", at, "/audit/wallets", inside)
}
