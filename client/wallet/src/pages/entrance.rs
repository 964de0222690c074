//! Signing in.

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;

use super::layout;

/// Both ways in.
pub fn sign_in(origin: &str) -> Markup {
    layout::plain(
        "Sign in",
        html! {
            p { "Your wallet is an ed25519 key. Signing in proves that you hold it; the key is never sent." }
            section.card {
                h2 { "On the command line" }
                p { "Prints a link that signs this browser in. It works once, within two minutes." }
                pre { code { "stipend --key FILE wallet sign-in " (origin) } }
            }
            section.card {
                h2 { "With the key file, here" }
                p { "The file is read by this page and leaves neither it nor this machine." }
                noscript { p.note { "This way needs script. The command line does not." } }
                form id="key-form" hidden data-origin=(origin) {
                    label for="key-file" { "Key file (64 hex digits)" }
                    input type="file" id="key-file" required;
                    button type="submit" { "Sign in" }
                }
                p.note id="key-note" role="status" aria-live="polite" {}
            }
        },
    )
}

/// Whom a link signs in.
pub fn link(account: &AccountId) -> Markup {
    layout::plain(
        "Sign in",
        html! {
            section.card {
                p { "This link signs this browser in as" }
                p { code { (account.to_ss58check()) } }
                form method="post" { button.primary type="submit" { "Sign in" } }
                p.note { "If that is not you, close this page: somebody else made the link." }
            }
        },
    )
}
