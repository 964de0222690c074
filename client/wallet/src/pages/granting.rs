//! Granting and taking back, for HR.

use maud::{html, Markup};
use serde::Deserialize;
use stipend_primitives::EntitlementId;
use stipend_sdk::grant_list::COLUMNS;

use super::{grants::amount_field, layout, words::credits};
use crate::{
    http::Viewer,
    read::{programs::Program, AsOf},
};

/// What the forms are filled with.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wanted {
    /// Whom it is about.
    pub owner: Option<String>,
    /// Which grant.
    pub grant: Option<EntitlementId>,
}

/// The page with one form for each act. Nothing happens before it was read in plain words and signed.
pub fn page(viewer: &Viewer, at: AsOf, programs: &[Program], wanted: &Wanted) -> Markup {
    let inside = html! {
        (layout::without_script("stipend --key FILE mint one OWNER --program 0 --amount 250\nstipend --key FILE entitlements revoke NUMBER\nstipend --key FILE freeze OWNER\nstipend --key FILE offboard OWNER"))
        datalist id="people" {}
        div.script hidden {
            (grant(programs, wanted))
            (take_back(wanted))
            (freeze(wanted))
            (offboard(wanted))
        }
        (layout::names_file())
        (layout::confirmation(viewer))
    };
    layout::page(viewer, "Grant", at, "/grant", inside)
}

fn owner_field(id: &str, wanted: &Wanted) -> Markup {
    html! {
        label for=(id) { "Whose (address)" }
        input.address type="text" id=(id) name="owner" required list="people" autocomplete="off"
            spellcheck="false" value=[wanted.owner.as_deref()];
    }
}

fn grant(programs: &[Program], wanted: &Wanted) -> Markup {
    html! {
        section.card aria-labelledby="grant-one" {
            h2 id="grant-one" { "Grant credits" }
            @if programs.is_empty() { p.empty { "You manage no programs, so there is nothing to grant from." } }
            @else {
                form data-act="grant" {
                    (owner_field("grant-owner", wanted))
                    label for="grant-program" { "Program" }
                    select id="grant-program" name="program" required {
                        @for program in programs {
                            option value=(program.id) {
                                (program.name) " (" (program.class_name) ", " (credits(program.unminted)) " left)"
                            }
                        }
                    }
                    (amount_field("grant-amount", "amount", "Credits", true))
                    div.columns {
                        div {
                            label for="grant-from" { "Usable from (UTC; empty: at once)" }
                            input type="date" id="grant-from" name="valid_from";
                        }
                        div {
                            label for="grant-until" { "Usable until (UTC; empty: for ever)" }
                            input type="date" id="grant-until" name="valid_until";
                        }
                    }
                    button type="submit" { "Go on" }
                }
            }
        }
    }
}

fn take_back(wanted: &Wanted) -> Markup {
    html! {
        section.card aria-labelledby="take-back" {
            h2 id="take-back" { "Take a grant back" }
            form data-act="revoke" {
                label for="revoke-grant" { "Number of the grant" }
                input type="number" id="revoke-grant" name="entitlement" required min="0" step="1" value=[wanted.grant];
                (amount_field("revoke-amount", "amount", "Credits (empty: all that is unused)", false))
                button type="submit" { "Go on" }
            }
        }
    }
}

fn freeze(wanted: &Wanted) -> Markup {
    html! {
        section.card aria-labelledby="freeze" {
            h2 id="freeze" { "Freeze, or lift a freeze" }
            form data-act="freeze" {
                (owner_field("freeze-owner", wanted))
                label for="freeze-frozen" { "What" }
                select id="freeze-frozen" name="frozen" {
                    option value="true" { "Freeze: nothing can be used" }
                    option value="false" { "Lift the freeze" }
                }
                button type="submit" { "Go on" }
            }
        }
    }
}

fn offboard(wanted: &Wanted) -> Markup {
    html! {
        section.card aria-labelledby="offboard" {
            h2 id="offboard" { "Offboard" }
            p { "For somebody who leaves: withdraws everything and revokes all API keys, for good." }
            form data-act="offboard" {
                (owner_field("offboard-owner", wanted))
                button type="submit" { "Go on" }
            }
        }
    }
}

/// Granting a whole list.
pub fn list(viewer: &Viewer, at: AsOf) -> Markup {
    let account = viewer.account.as_ref().map(layout::public_key);
    let inside = html! {
        (layout::without_script("stipend --key FILE mint csv FILE.csv --dry-run\nstipend --key FILE mint csv FILE.csv"))
        div.script id="list" hidden data-account=[account] {
            section.card aria-labelledby="choose" {
                h2 id="choose" { "1. Choose the file" }
                p { "A CSV file with one grant a line, up to 10\u{202f}000 lines. Its columns: "
                    @for (at, column) in COLUMNS.iter().enumerate() { @if at > 0 { ", " } code { (column) } } ". "
                    "It is checked whole; if one line is wrong, nothing is granted." }
                label for="list-file" { "List of grants (CSV)" }
                input type="file" id="list-file" accept=".csv,text/csv";
                p.state id="list-note" role="status" aria-live="polite" {}
            }
            section id="list-faults" aria-labelledby="faults-title" hidden {
                h2 id="faults-title" tabindex="-1" { "What is wrong" }
                div.scroll tabindex="0" role="region" aria-label="What is wrong" {
                    table.wraps {
                        thead { tr { th scope="col" { "Lines" } th scope="col" { "Column" } th scope="col" { "Why, and what to do" } } }
                        tbody {}
                    }
                }
            }
            (preview())
        }
    };
    layout::page(viewer, "Grant a list", at, "/grant/list", inside)
}

fn preview() -> Markup {
    html! {
        section.card id="list-preview" aria-labelledby="preview-title" hidden {
            h2 id="preview-title" tabindex="-1" { "2. Look at what would happen" }
            ul id="list-words" {}
            div.scroll tabindex="0" role="region" aria-label="Out of which programs" {
                table id="list-programs" {
                    caption { "Out of which programs" }
                    thead { tr { th scope="col" { "Program" } th scope="col" { "Class" } th.number scope="col" { "Taken" } th.number scope="col" { "Left now" } } }
                    tbody {}
                }
            }
            div.scroll tabindex="0" role="region" aria-label="Of your allowance" {
                table id="list-classes" {
                    caption { "Of what you may still grant in this period" }
                    thead { tr { th scope="col" { "Class" } th.number scope="col" { "Taken" } th.number scope="col" { "Left now" } } }
                    tbody {}
                }
            }
            div.warn id="list-alike" hidden {
                p {}
                div.choice {
                    input type="checkbox" id="list-meant";
                    label for="list-meant" { "These are meant; grant them all the same" }
                }
            }
            button type="button" id="list-again" hidden { "Grant the same list again" }
            div id="list-sign" hidden {
                h2 { "3. Sign" }
                p { "Each part is signed here and granted wholly or not at all. You may close this page at any time: with the same file it goes on where it was, and grants nothing twice." }
                (layout::key_file("list-key"))
                p.row {
                    button.primary type="button" id="list-start" { "Sign and grant" }
                    button type="button" id="list-stop" hidden { "Stop after this part" }
                }
            }
            div id="list-running" hidden {
                label for="list-progress" { "Progress" }
                progress id="list-progress" max="1" value="0" {}
                p.state id="list-state" role="status" aria-live="polite" {}
            }
        }
    }
}
