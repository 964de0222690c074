//! A wallet's first page: balances, what was spent, energy.

use std::collections::BTreeMap;

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{
    view::{ClassBalance, EntitlementView},
    AccountId, Moment,
};
use stipend_rpc::WalletBalance;

use super::{
    layout,
    plot::Plot,
    words::{credits, energy, grams, short, thousands, when},
};
use crate::{
    http::Viewer,
    read::{
        days::{Back, Energy, Used},
        programs::SOON_MS,
        wallets::Balance,
        AsOf, Names,
    },
};

/// Everything on the page.
pub struct View {
    /// Whose.
    pub owner: AccountId,
    /// As of when.
    pub at: AsOf,
    /// First day of sums.
    pub from_day: u64,
    /// Balances by the tables.
    pub balances: Vec<Balance>,
    /// Finalised and pending figures by the node, if it answered.
    pub live: Option<WalletBalance>,
    /// Entitlements.
    pub grants: Vec<EntitlementView>,
    /// Used by day.
    pub used: Vec<Used>,
    /// Came back by day.
    pub back: Vec<Back>,
    /// Energy by provider.
    pub energy: Vec<Energy>,
    /// Names.
    pub names: Names,
}

/// The page.
pub fn page(viewer: &Viewer, view: &View) -> Markup {
    let base = format!("/wallets/{}", view.owner.to_ss58check());
    let inside = html! {
        (layout::tabs(&view.owner, "Balances"))
        section aria-labelledby="balances" {
            h2 id="balances" { "Balances" }
            div id="live" data-stream=(format!("{base}/live")) {
                @match &view.live {
                    Some(balance) => (live(balance)),
                    None => {
                        p.note { "The node does not answer at the moment: these are the figures of the last final block read." }
                        (table(&view.balances.iter().map(row).collect::<Vec<_>>(), &[]))
                    }
                }
            }
            (expiring(view))
        }
        (spending(view.at, view.from_day, &view.used, &view.back, &view.names))
        (energy_table(&view.energy))
        section aria-labelledby="files" {
            h2 id="files" { "Take it with you" }
            (layout::exports(&format!("/api/v1{base}/export")))
        }
    };
    layout::page(viewer, "Wallet", view.at, &base, inside)
}

fn row(balance: &Balance) -> ClassBalance {
    ClassBalance {
        class: balance.class,
        name: stipend_primitives::Name::truncate_from(balance.name.clone().into_bytes()),
        amounts: balance.amounts,
        reservations: balance.reservations.clone(),
        expires_next: balance.expires_next,
        frozen: balance.frozen,
    }
}

/// The balances, final and pending; also what a page that updates itself gets.
pub fn live(balance: &WalletBalance) -> Markup {
    html! {
        (table(&balance.finalised, &balance.pending))
        p.note role="status" {
            "Final as of block " (balance.finalised_at) ". "
            @if balance.pending == balance.finalised {
                "Nothing is pending."
            } @else {
                span.pending { "Pending" } " figures are of block " (balance.pending_at) " and may still change."
            }
        }
    }
}

fn table(final_rows: &[ClassBalance], pending_rows: &[ClassBalance]) -> Markup {
    let pending_of = |class| pending_rows.iter().find(|row| row.class == class);
    let fresh = pending_rows.iter().filter(|row| !final_rows.iter().any(|known| known.class == row.class));
    html! {
        @if final_rows.is_empty() && pending_rows.is_empty() {
            p.empty { "Nothing was granted to this wallet yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Balances" {
                table.balances {
                    thead { tr {
                        th scope="col" { "Class" }
                        th.number scope="col" { "Available" }
                        th.number scope="col" { "Reserved" }
                        th.number scope="col" { "Spent" }
                        th.number scope="col" { "Expired" }
                        th.number scope="col" { "Revoked" }
                        th scope="col" { "Expires next" }
                    } }
                    tbody {
                        @for row in final_rows {
                            (balance_row(row, pending_of(row.class)))
                        }
                        @for row in fresh {
                            tr.fresh {
                                th scope="row" { (String::from_utf8_lossy(&row.name)) " " span.pending { "pending" } }
                                td.number { span.pending { (credits(row.amounts.available)) } }
                                td colspan="5" {}
                            }
                        }
                    }
                }
            }
        }
    }
}

fn balance_row(row: &ClassBalance, pending: Option<&ClassBalance>) -> Markup {
    let figures = |amounts: &stipend_primitives::view::Amounts| {
        [amounts.available, amounts.reserved, amounts.spent, amounts.expired, amounts.revoked]
    };
    let now = figures(&row.amounts);
    let next = pending.map_or(now, |pending| figures(&pending.amounts));
    html! {
        tr {
            th scope="row" {
                (String::from_utf8_lossy(&row.name))
                @if row.frozen { " " span.tag { "frozen" } }
            }
            @for (now, next) in now.iter().zip(next) {
                td.number {
                    (credits(*now))
                    @if *now != next {
                        br; span.pending { span.hidden { "pending: " } (credits(next)) }
                    }
                }
            }
            td { @match row.expires_next { Some(moment) => (when(moment)), None => "never" } }
        }
    }
}

fn expiring(view: &View) -> Markup {
    let now: Moment = view.at.moment;
    let soon: Vec<&EntitlementView> = view
        .grants
        .iter()
        .filter(|grant| {
            grant.amounts.available > 0
                && grant.valid_until.is_some_and(|until| until > now && until <= now.saturating_add(SOON_MS))
        })
        .collect();
    html! {
        @if !soon.is_empty() {
            div.warn role="note" {
                h3 { "Expiring within 30 days" }
                ul {
                    @for grant in soon {
                        li {
                            (credits(grant.amounts.available)) " of " (view.names.class(grant.class))
                            @if let Some(until) = grant.valid_until { ", until " (when(until)) }
                        }
                    }
                }
            }
        }
    }
}

/// What was spent when, on which model.
pub fn spending(at: AsOf, from_day: u64, used: &[Used], back: &[Back], names: &Names) -> Markup {
    let mut by_model: BTreeMap<String, BTreeMap<u64, u128>> = BTreeMap::new();
    let mut models: BTreeMap<&str, (u64, u64, u64, u64, u128, u128)> = BTreeMap::new();
    for row in used {
        let days = by_model.entry(row.model_name.clone()).or_default();
        *days.entry(row.day).or_default() += row.cost + row.fee;
        let sum = models.entry(&row.model_name).or_default();
        *sum = (
            sum.0 + row.receipts,
            sum.1 + row.input,
            sum.2 + row.cached,
            sum.3 + row.output,
            sum.4 + row.cost,
            sum.5 + row.fee,
        );
    }
    let today = (at.moment / 86_400_000).max(from_day);
    let refunded: BTreeMap<String, u128> = back.iter().fold(BTreeMap::new(), |mut sums, row| {
        *sums.entry(names.class(row.class)).or_default() += row.refunded;
        sums
    });
    html! {
        section aria-labelledby="spending" {
            h2 id="spending" { "Charged by day and model" }
            (Plot { title: "Credits by day", days: (from_day, today), series: by_model, words: credits }.draw())
            @if !models.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="By model" {
                    table {
                        thead { tr {
                            th scope="col" { "Model" } th.number scope="col" { "Requests" }
                            th.number scope="col" { "Prompt tokens" } th.number scope="col" { "of these cached" }
                            th.number scope="col" { "Generated" } th.number scope="col" { "Base cost" }
                            th.number scope="col" { "Priority fees" }
                        } }
                        tbody {
                            @for (model, sum) in &models {
                                tr {
                                    th scope="row" { (model) }
                                    td.number { (thousands(sum.0.into())) }
                                    td.number { (thousands((sum.1 + sum.2).into())) }
                                    td.number { (thousands(sum.2.into())) }
                                    td.number { (thousands(sum.3.into())) }
                                    td.number { (credits(sum.4)) }
                                    td.number { (credits(sum.5)) }
                                }
                            }
                        }
                    }
                }
            }
            @for (class, amount) in refunded.iter().filter(|(_, amount)| **amount > 0) {
                p { "Given back by settlements in these days: " (credits(*amount)) " of " (class) "." }
            }
        }
    }
}

/// Energy by provider.
pub fn energy_table(rows: &[Energy]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="energy" {
                h2 id="energy" { "Energy" }
                p.note { "Attested by the providers and shared out by cost. Emissions by what each grid emits now." }
                div.scroll tabindex="0" role="region" aria-label="Energy" {
                    table {
                        thead { tr {
                            th scope="col" { "Provider" } th.number scope="col" { "Requests" }
                            th.number scope="col" { "measured" } th.number scope="col" { "Energy" }
                            th.number scope="col" { "CO₂e" }
                        } }
                        tbody {
                            @for row in rows {
                                tr {
                                    th scope="row" { (short(&row.provider)) }
                                    td.number { (thousands(row.receipts.into())) }
                                    td.number { (thousands(row.measured.into())) }
                                    td.number { @if row.measured > 0 { (energy(row.energy_mj)) } @else { "not measured" } }
                                    td.number { @match row.emitted_mg { Some(mg) if row.measured > 0 => (grams(mg)), _ => "not known" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
