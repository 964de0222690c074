//! Budgets for HR.

use maud::{html, Markup};
use stipend_primitives::view::EntitlementView;

use super::{
    grants, layout,
    words::{credits, energy, percent, short, thousands},
};
use crate::{
    access::Who,
    http::Viewer,
    read::{
        grants::Event,
        programs::{Program, Use},
        AsOf, Names,
    },
};

/// The budgets that a viewer may see.
pub fn list(viewer: &Viewer, at: AsOf, programs: &[Program]) -> Markup {
    let inside = html! {
        @if programs.is_empty() { p.empty { "You manage no programs." } } @else { (table(programs)) }
    };
    let inside = html! { (inside) @if !programs.is_empty() { (layout::names_file()) } };
    layout::page(viewer, "Programs", at, "/programs", inside)
}

/// A table of budgets.
pub fn table(programs: &[Program]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Programs" {
            table {
                thead { tr {
                    th.number scope="col" { "Number" } th scope="col" { "Name" } th scope="col" { "Class" }
                    th.number scope="col" { "Budget" } th.number scope="col" { "Granted" }
                    th.number scope="col" { "Delegated" } th.number scope="col" { "Unminted" }
                    th.number scope="col" { "Granted of budget" } th scope="col" { "Owner" }
                } }
                tbody {
                    @for program in programs {
                        tr {
                            td.number { (program.id) }
                            th scope="row" { a href=(format!("/programs/{}", program.id)) { (program.name) } }
                            td { (program.class_name) }
                            td.number { (credits(program.budget)) }
                            td.number { (credits(program.granted)) }
                            td.number { (credits(program.delegated)) }
                            td.number { (credits(program.unminted)) }
                            td.number { (percent(program.granted, program.budget)) }
                            td { (short(&program.owner)) }
                        }
                    }
                }
            }
        }
    }
}

/// Everything on one budget's page.
pub struct View {
    /// The budget.
    pub program: Program,
    /// What became of it.
    pub used: Use,
    /// Some of its grants.
    pub grants: Vec<EntitlementView>,
    /// What happened to it.
    pub events: Vec<Event>,
    /// As of when.
    pub at: AsOf,
    /// Grants of a page.
    pub limit: u32,
}

/// One budget.
pub fn one(viewer: &Viewer, view: &View) -> Markup {
    let (program, used) = (&view.program, &view.used);
    let amounts = &used.amounts;
    let path = format!("/programs/{}", program.id);
    let names = Names::default();
    let next = (view.grants.len() == view.limit as usize).then(|| view.grants.last().map(|grant| grant.id));
    let inside = html! {
        section aria-labelledby="budget" {
            h2 id="budget" { "Budget against use" }
            (bar(&[("spent", amounts.spent), ("still held", amounts.available + amounts.reserved),
                ("expired", amounts.expired), ("delegated", program.delegated), ("unminted", program.unminted)],
                program.budget))
            dl.facts {
                dt { "Class" } dd { (program.class_name) }
                dt { "Budget" } dd { (credits(program.budget)) }
                dt { "Unminted" } dd { (credits(program.unminted)) }
                dt { "Grants" } dd { (thousands(used.grants.into())) " to " (thousands(used.owners.into())) " people" }
                dt { "Utilisation" } dd { (percent(amounts.spent, amounts.granted)) " of what was granted is spent" }
                dt { "Energy" } dd { (energy(used.energy_mj)) ", as far as providers measured it" }
            }
        }
        @if used.expiring > 0 {
            div.warn role="note" {
                (thousands(used.expiring.into())) " grants end within 30 days with "
                (credits(used.expiring_amount)) " left."
            }
        }
        section aria-labelledby="grants" {
            h2 id="grants" { "Grants" }
            p.note { "What a grant from this program was used for is its owner's to see." }
            (grants::table(view.at.moment, &names, &view.grants, true))
            (layout::more(&path, next.flatten().map(|id| id.to_string())))
            @if viewer.is(Who::Issuer) { p.note { "To take one back, go to " a href="/grant" { "Grant" } " with its number." } }
        }
        (layout::names_file())
        section aria-labelledby="history" {
            h2 id="history" { "History" }
            (grants::history(&names_of(program), &view.events))
        }
    };
    layout::page(viewer, &program.name, view.at, "/programs", inside)
}

fn names_of(program: &Program) -> Names {
    let mut names = Names::default();
    names.classes.insert(program.class, program.class_name.clone());
    names
}

/// Parts of a whole, side by side, with their names and shares.
fn bar(parts: &[(&str, u128)], whole: u128) -> Markup {
    const WIDTH: u128 = 720;
    let wide = |amount: u128| amount.saturating_mul(WIDTH).checked_div(whole).unwrap_or_default().min(WIDTH);
    let mut left = 0;
    html! {
        figure.plot {
            svg viewBox="0 0 720 28" role="img" aria-label="Budget against use; the list below says the same" {
                @for (at, (name, amount)) in parts.iter().enumerate() {
                    @let from = left;
                    @let () = left += wide(*amount);
                    rect class=(format!("s{at}")) x=(from) y="2" width=(wide(*amount)) height="24" { title { (name) } }
                }
            }
            ul.legend {
                @for (at, (name, amount)) in parts.iter().enumerate() {
                    li { span class=(format!("swatch s{at}")) {} (name) " " (percent(*amount, whole)) }
                }
            }
        }
    }
}
