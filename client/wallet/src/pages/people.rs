//! What HR looks at: what ends soon, and how much is used.

use std::collections::BTreeMap;

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;

use super::{
    layout,
    words::{credits, percent, short, thousands, when},
};
use crate::{
    access::Who,
    http::Viewer,
    read::{
        people::{Expiring, Utilisation},
        programs::Program,
        AsOf,
    },
};

/// Days ahead that the page offers.
const AHEAD: [u64; 3] = [30, 90, 365];

/// Rows that a page shows; all are in the sums, and in the API.
const ROWS: usize = 1_000;

/// Grants that end soon.
pub fn expiring(viewer: &Viewer, at: AsOf, days: u64, programs: &[Program], rows: &[Expiring]) -> Markup {
    let program = |id| programs.iter().find(|program| program.id == id);
    let mut sums: BTreeMap<&str, (u64, u128)> = BTreeMap::new();
    for row in rows {
        let class = program(row.program).map_or("", |program| program.class_name.as_str());
        let sum = sums.entry(class).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(row.left));
    }
    let inside = html! {
        nav.tabs aria-label="How far ahead" {
            @for ahead in AHEAD {
                a href=(format!("/expiring?days={ahead}")) aria-current=[(ahead == days).then_some("page")] { "Next " (ahead) " days" }
            }
        }
        @if rows.is_empty() {
            p.empty { "Of your programs no grant with something left ends within " (days) " days." }
        } @else {
            ul.tiles {
                @for (class, (count, left)) in &sums {
                    li { strong { (credits(*left)) } "of " (class) " in " (thousands((*count).into())) @if *count == 1 { " grant" } @else { " grants" } }
                }
            }
            (expiring_table(viewer, rows, program))
        }
        (layout::names_file())
    };
    layout::page(viewer, "Expiring", at, "/expiring", inside)
}

fn expiring_table<'p>(
    viewer: &Viewer,
    rows: &[Expiring],
    program: impl Fn(u32) -> Option<&'p Program>,
) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Expiring grants" {
            table {
                thead { tr {
                    th scope="col" { "Ends" } th scope="col" { "Owner" } th scope="col" { "Program" }
                    th scope="col" { "Class" } th.number scope="col" { "Left" } th.number scope="col" { "Grant" }
                } }
                tbody {
                    @for row in rows.iter().take(ROWS) {
                        tr {
                            th scope="row" { (when(row.valid_until)) }
                            td { (short(&row.owner)) }
                            @match program(row.program) {
                                Some(program) => {
                                    td { a href=(format!("/programs/{}", program.id)) { (program.name) } }
                                    td { (program.class_name) }
                                }
                                None => { td { (row.program) } td {} }
                            }
                            td.number { (credits(row.left)) }
                            td.number {
                                @if viewer.is(Who::Issuer) {
                                    a href=(format!("/grant?grant={}&owner={}", row.id, row.owner.to_ss58check())) { (row.id) }
                                } @else { (row.id) }
                            }
                        }
                    }
                }
            }
        }
        @if rows.len() > ROWS {
            p.note { "The first " (thousands(ROWS as u128)) " of " (thousands(rows.len() as u128)) " are shown; the sums are of all." }
        }
    }
}

/// How much of what was granted is used, by program and by department.
pub fn utilisation(viewer: &Viewer, at: AsOf, rows: &[Utilisation]) -> Markup {
    let inside = html! {
        section aria-labelledby="by-program" {
            h2 id="by-program" { "By program" }
            @if rows.is_empty() { p.empty { "You manage no programs." } } @else { (tree(rows)) }
        }
        @if !rows.is_empty() {
            section.script aria-labelledby="by-department" hidden {
                h2 id="by-department" { "By department" }
                p.note id="departments-note" role="status" aria-live="polite" { "Choose the directory below: this page then adds up by department, here." }
                div.scroll id="departments" tabindex="0" role="region" aria-label="By department" hidden {
                    table {
                        thead { tr {
                            th scope="col" { "Department" } th scope="col" { "Class" } th.number scope="col" { "People" }
                            th.number scope="col" { "Granted" } th.number scope="col" { "Spent" }
                            th.number scope="col" { "Still held" } th.number scope="col" { "Utilisation" }
                        } }
                        tbody {}
                    }
                }
            }
            (layout::names_file())
        }
    };
    layout::page(viewer, "Utilisation", at, "/utilisation", inside)
}

fn tree(rows: &[Utilisation]) -> Markup {
    html! {
        p.note { "A program's figures count those of the programs below it. Utilisation is what is spent of what was granted." }
        div.scroll tabindex="0" role="region" aria-label="By program" {
            table {
                thead { tr {
                    th scope="col" { "Program" } th scope="col" { "Class" } th.number scope="col" { "Budget" }
                    th.number scope="col" { "Granted" } th.number scope="col" { "Spent" }
                    th.number scope="col" { "Still held" } th.number scope="col" { "Expired" }
                    th.number scope="col" { "Utilisation" } th.number scope="col" { "Spent of budget" }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" class=(format!("below{}", row.depth.min(7))) {
                                @if row.depth > 0 { span aria-hidden="true" { "└ " } }
                                a href=(format!("/programs/{}", row.program.id)) { (row.program.name) }
                                @if row.depth > 0 { span.hidden { " (level " (row.depth) " below)" } }
                            }
                            td { (row.program.class_name) }
                            td.number { (credits(row.program.budget)) }
                            td.number { (credits(row.all.granted)) }
                            td.number { (credits(row.all.spent)) }
                            td.number { (credits(row.all.available + row.all.reserved)) }
                            td.number { (credits(row.all.expired)) }
                            td.number { (percent(row.all.spent, row.all.granted)) }
                            td.number { (percent(row.all.spent, row.program.budget)) }
                        }
                    }
                }
            }
        }
    }
}
