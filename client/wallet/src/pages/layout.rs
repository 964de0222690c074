//! What all pages share.

use maud::{html, Markup, DOCTYPE};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;

use super::words::{short, timestamp};
use crate::{access::Who, http::Viewer, read::AsOf};

fn document(title: &str, inside: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Stipend" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/style.css";
                script type="module" src="/app.js" {}
            }
            body { (inside) }
        }
    }
}

/// A page without a viewer.
pub fn plain(title: &str, inside: Markup) -> Markup {
    document(
        title,
        html! {
            header.top { a.brand href="/" { "Stipend" } (switch()) }
            main.narrow id="main" { h1 { (title) } (inside) }
        },
    )
}

/// Light or dark: shown where there is script, which keeps the choice.
fn switch() -> Markup {
    html! { button.switch type="button" id="theme" hidden aria-label="Light or dark" { "Light or dark" } }
}

/// A page with what its viewer can go to.
pub fn page(viewer: &Viewer, title: &str, at: AsOf, here: &str, inside: Markup) -> Markup {
    let own = viewer.account.as_ref().map(|account| format!("/wallets/{}", account.to_ss58check()));
    let mut places: Vec<(String, &str)> = Vec::new();
    places.extend(own.map(|own| (own, "My wallet")));
    if viewer.is(Who::Issuer) || viewer.is(Who::Auditor) {
        places.extend([
            ("/programs".into(), "Programs"),
            ("/utilisation".into(), "Utilisation"),
            ("/expiring".into(), "Expiring"),
        ]);
    }
    if viewer.is(Who::Issuer) {
        places.extend([("/grant".into(), "Grant"), ("/grant/list".into(), "Grant a list")]);
    }
    if viewer.is(Who::Auditor) {
        places.extend([
            ("/audit".into(), "Overview"),
            ("/audit/wallets".into(), "Wallets"),
            ("/audit/receipts".into(), "Receipts"),
        ]);
    }
    document(
        title,
        html! {
            a.skip href="#main" { "Skip to the content" }
            header.top {
                a.brand href="/" { "Stipend" }
                nav aria-label="Main" {
                    @for (path, name) in &places {
                        a href=(path) aria-current=[(path == here).then_some("page")] { (name) }
                    }
                }
                div.right {
                    (switch())
                    @if let Some(account) = &viewer.account { span.who { (short(account)) } }
                    form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
                }
            }
            main id="main" {
                h1 { (title) }
                (inside)
                p.foot { "As of final block " (at.block) ", " (timestamp(at.moment)) "." }
            }
        },
    )
}

/// The parts of a wallet.
pub fn tabs(owner: &AccountId, here: &str) -> Markup {
    let base = format!("/wallets/{}", owner.to_ss58check());
    let parts = [
        (base.clone(), "Balances"),
        (format!("{base}/receipts"), "Receipts"),
        (format!("{base}/grants"), "Grants"),
        (format!("{base}/keys"), "API keys"),
    ];
    html! {
        p.owner { "Wallet " code { (owner.to_ss58check()) } }
        nav.tabs aria-label="Wallet" {
            @for (path, name) in &parts {
                a href=(path) aria-current=[(*name == here).then_some("page")] { (name) }
            }
        }
    }
}

/// A link to more rows of a table.
pub fn more(path: &str, after: Option<String>) -> Markup {
    html! {
        @if let Some(after) = after {
            p { a.button href=(format!("{path}?after={after}")) { "Older" } }
        }
    }
}

/// The files that can be taken away.
pub fn exports(base: &str) -> Markup {
    html! {
        ul.files {
            li { a href=(format!("{base}/focus.csv")) download="focus.csv" { "FinOps FOCUS (CSV)" } }
            li { a href=(format!("{base}/focus.parquet")) download="focus.parquet" { "FinOps FOCUS (Parquet)" } }
            li { a href=(format!("{base}/receipts.ndjson")) download="receipts.ndjson" { "Receipts (NDJSON)" } }
            li { a href=(format!("{base}/openmeter.ndjson")) download="openmeter.ndjson" { "CloudEvents for OpenMeter (NDJSON)" } }
        }
    }
}

/// What somebody reads and signs before something is done. Filled in by script; the key file is read there
/// and goes nowhere.
pub fn confirmation(viewer: &Viewer) -> Markup {
    html! {
        @if let Some(account) = &viewer.account {
            dialog id="confirm" aria-labelledby="confirm-title" data-account=(public_key(account)) {
                h2 id="confirm-title" tabindex="-1" {}
                ul id="confirm-lines" {}
                p.warn id="confirm-warning" hidden {}
                (key_file("confirm-key"))
                div.secret id="secret" hidden {
                    p { strong { "This is the key. It is shown once: copy it now." } " This page made it; nobody else has it." }
                    p { code id="secret-text" tabindex="0" {} }
                    button type="button" id="secret-copy" { "Copy" }
                }
                p.state id="confirm-note" role="status" aria-live="polite" {}
                p.row {
                    button.primary type="button" id="confirm-sign" { "Sign and send" }
                    button type="button" id="confirm-close" { "Go back" }
                }
            }
        }
    }
}

/// The public key of an account, in hex: what a key file's key is compared with.
pub fn public_key(account: &AccountId) -> String {
    let bytes: &[u8] = account.as_ref();
    format!("0x{}", hex::encode(bytes))
}

/// Where a key file is chosen.
pub fn key_file(id: &str) -> Markup {
    html! {
        div.key-choice {
            label for=(id) { "Your key file (64 hex digits)" }
            input type="file" id=(id);
            p.note { "It is read by this page and leaves neither it nor this machine." }
        }
    }
}

/// Where a directory file is chosen, which tells names of accounts.
pub fn names_file() -> Markup {
    html! {
        section.card.script aria-labelledby="names" hidden {
            h2 id="names" { "Names and departments" }
            p { "The chain knows accounts and no names. Choose the file that " code { "stipend directory export" }
                " wrote: it is read here, and nothing of it is sent anywhere." }
            label for="names-file" { "Directory (CSV with name, number, department, account)" }
            input type="file" id="names-file" accept=".csv,text/csv";
            button type="button" id="names-forget" hidden { "Forget the names" }
            p.note id="names-note" role="status" aria-live="polite" {}
        }
    }
}

/// What to do where there is no script.
pub fn without_script(command: &str) -> Markup {
    html! {
        noscript { p.note { "Signing here needs script. The command line does not:" } pre { code { (command) } } }
    }
}

/// A refusal.
pub fn refusal(words: &str) -> Markup {
    plain("Nothing to see", html! { p { (words) } p { a href="/" { "Back to the beginning" } } })
}
