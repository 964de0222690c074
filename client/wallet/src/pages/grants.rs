//! A wallet's grants and their history.

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{view::EntitlementView, AccountId, Moment};

use super::{
    layout,
    words::{credits, short, when},
};
use crate::{
    http::Viewer,
    read::{grants::Event, AsOf, Names},
};

/// The page.
pub fn page(
    viewer: &Viewer,
    owner: &AccountId,
    at: AsOf,
    names: &Names,
    grants: &[EntitlementView],
    events: &[Event],
) -> Markup {
    let path = format!("/wallets/{}/grants", owner.to_ss58check());
    let inside = html! {
        (layout::tabs(owner, "Grants"))
        section aria-labelledby="held" {
            h2 id="held" { "Entitlements" }
            (table(at.moment, names, grants, false))
            @if viewer.account.as_ref() == Some(owner) { (give_back(names, grants)) }
        }
        section aria-labelledby="history" {
            h2 id="history" { "History" }
            (history(names, events))
        }
    };
    let inside = html! { (inside) (layout::confirmation(viewer)) };
    layout::page(viewer, "Grants", at, &path, inside)
}

/// Giving unused credits back.
fn give_back(names: &Names, grants: &[EntitlementView]) -> Markup {
    let open: Vec<&EntitlementView> = grants.iter().filter(|grant| grant.amounts.available > 0).collect();
    html! {
        @if !open.is_empty() {
            details.script hidden {
                summary { "Give credits back" }
                form.card data-act="give_back" {
                    p { "Credits that you will not need go back to the program that granted them." }
                    label for="back-grant" { "Grant" }
                    select id="back-grant" name="entitlement" required {
                        @for grant in open {
                            option value=(grant.id) {
                                (grant.id) ": " (credits(grant.amounts.available)) " of " (names.class(grant.class))
                            }
                        }
                    }
                    (amount_field("back-amount", "amount", "Credits", true))
                    button type="submit" { "Go on" }
                }
            }
        }
    }
}

/// Where an amount of credits is written.
pub fn amount_field(id: &str, name: &str, label: &str, required: bool) -> Markup {
    html! {
        label for=(id) { (label) }
        input type="text" id=(id) name=(name) required[required] inputmode="decimal" autocomplete="off"
            pattern="[0-9]+([.][0-9]{1,6})?" title="credits with up to six decimals, such as 12.5";
    }
}

/// Entitlements with where their credits are.
pub fn table(now: Moment, names: &Names, grants: &[EntitlementView], with_owner: bool) -> Markup {
    html! {
        @if grants.is_empty() {
            p.empty { "No grants." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Grants" {
                table {
                    thead { tr {
                        th.number scope="col" { "Number" }
                        @if with_owner { th scope="col" { "Owner" } } @else { th scope="col" { "Class" } }
                        th.number scope="col" { "Granted" } th.number scope="col" { "Available" }
                        th.number scope="col" { "Reserved" } th.number scope="col" { "Spent" }
                        th.number scope="col" { "Expired" } th.number scope="col" { "Revoked" }
                        th scope="col" { "Valid until" } th scope="col" { "Granted by" }
                    } }
                    tbody {
                        @for grant in grants {
                            tr {
                                th.number scope="row" { (grant.id) }
                                @if with_owner { td { (short(&grant.owner)) } } @else { td { (names.class(grant.class)) } }
                                @for amount in [grant.amounts.granted, grant.amounts.available, grant.amounts.reserved,
                                    grant.amounts.spent, grant.amounts.expired, grant.amounts.revoked] {
                                    td.number { (credits(amount)) }
                                }
                                td {
                                    @match grant.valid_until { Some(until) => (when(until)), None => "for ever" }
                                    @if grant.valid_from > now { " (from " (when(grant.valid_from)) ")" }
                                }
                                td { (short(&grant.issuer)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Events, newest first.
pub fn history(names: &Names, events: &[Event]) -> Markup {
    html! {
        @if events.is_empty() {
            p.empty { "Nothing happened yet." }
        } @else {
            ol.history {
                @for event in events {
                    li {
                        (when(event.moment)) " " (words(&event.kind))
                        @if let Some(amount) = event.amount { " " (credits(amount)) }
                        @if let Some(class) = event.class { " of " (names.class(class)) }
                        @if let Some(id) = event.entitlement { " (grant " (id) ")" }
                    }
                }
            }
        }
    }
}

fn words(kind: &str) -> &str {
    match kind {
        "Minted" => "granted",
        "Revoked" => "revoked",
        "GivenBack" => "given back to the program",
        "Frozen" => "frozen",
        "Unfrozen" => "unfrozen",
        "Offboarded" => "offboarded: all grants withdrawn and keys revoked",
        "KeyRegistered" => "an API key was registered",
        "ProgramCreated" => "program created with",
        "BudgetIncreased" => "budget increased by",
        "ReturnedToProgram" => "returned to the program",
        other => other,
    }
}
