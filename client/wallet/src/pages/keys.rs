//! API keys and their limits.

use maud::{html, Markup};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;

use super::{layout, limits};
use crate::{
    http::Viewer,
    read::{wallets::Key, AsOf, Names},
};

/// The page. Its owner can make keys, change and revoke them.
pub fn page(viewer: &Viewer, owner: &AccountId, at: AsOf, names: &Names, keys: &[Key]) -> Markup {
    let path = format!("/wallets/{}/keys", owner.to_ss58check());
    let is_own = viewer.account.as_ref() == Some(owner);
    let inside = html! {
        (layout::tabs(owner, "API keys"))
        @if is_own { (make(names)) }
        section aria-labelledby="keys" {
            h2 id="keys" { "Keys and their limits" }
            p.note { "The chain knows a key by the hash of its text. The text was shown once, when the key was made." }
            @if keys.is_empty() { p.empty { "No keys." } }
            @for (at, key) in keys.iter().enumerate() { (card(at, key, names, is_own)) }
        }
        @if is_own {
            (layout::without_script("stipend --key FILE api-keys create\nstipend --key FILE api-keys revoke HASH\nstipend api-keys --help"))
            (layout::confirmation(viewer))
        }
    };
    layout::page(viewer, "API keys", at, &path, inside)
}

fn make(names: &Names) -> Markup {
    html! {
        details.script.card id="make" hidden {
            summary { "Make a key" }
            form data-act="register_key" {
                p { "The key is made in this browser and shown once. Only its hash leaves it, signed by you." }
                (limits::fields("new", names, &Value::Null))
                button.primary type="submit" { "Make a key" }
            }
        }
    }
}

fn card(at: usize, key: &Key, names: &Names, is_own: bool) -> Markup {
    html! {
        article.card {
            h3 { code { (key.hash) } }
            p {
                @match key.revoked {
                    Some(block) => { span.tag { "revoked" } " in block " (block) },
                    None => { span.good { "in use" } " since block " (key.registered) },
                }
            }
            (limits::facts(&key.limits, names))
            @if is_own && key.revoked.is_none() {
                div.script hidden {
                    details {
                        summary { "Change its limits" }
                        form data-act="set_limits" data-hash=(key.hash) {
                            (limits::fields(&format!("key{at}"), names, &key.limits))
                            button type="submit" { "Change the limits" }
                        }
                    }
                    form data-act="revoke_key" data-hash=(key.hash) {
                        button type="submit" { "Revoke this key" }
                    }
                }
            }
        }
    }
}
