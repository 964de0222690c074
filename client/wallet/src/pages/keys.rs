//! API keys and their limits.

use maud::{html, Markup};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, ModelId};

use super::{
    layout,
    words::{credits, when},
};
use crate::{
    http::Viewer,
    read::{wallets::Key, AsOf, Names},
};

/// The page.
pub fn page(viewer: &Viewer, owner: &AccountId, at: AsOf, names: &Names, keys: &[Key]) -> Markup {
    let path = format!("/wallets/{}/keys", owner.to_ss58check());
    let inside = html! {
        (layout::tabs(owner, "API keys"))
        section aria-labelledby="keys" {
            h2 id="keys" { "Keys and their limits" }
            p.note { "The chain knows a key by the hash of its text. The text was shown once, when the key was made." }
            @if keys.is_empty() { p.empty { "No keys." } }
            @for key in keys { (card(key, names)) }
        }
        section.card aria-labelledby="make" {
            h2 id="make" { "Make, change or revoke a key" }
            p { "A key is a transaction that your wallet's key signs. This page never holds that key, so it is done on the command line:" }
            pre { code {
                "stipend --key FILE api-keys create\n"
                "stipend --key FILE api-keys revoke HASH\n"
                "stipend api-keys --help"
            } }
        }
    };
    layout::page(viewer, "API keys", at, &path, inside)
}

fn card(key: &Key, names: &Names) -> Markup {
    html! {
        article.card {
            h3 { code { (key.hash) } }
            p {
                @match key.revoked {
                    Some(block) => { span.tag { "revoked" } " in block " (block) },
                    None => { span.good { "in use" } " since block " (key.registered) },
                }
            }
            dl.facts {
                @if let Value::Object(limits) = &key.limits {
                    @for (name, value) in limits {
                        dt { (title(name)) }
                        dd { (shown(name, value, names)) }
                    }
                }
            }
        }
    }
}

/// Limits by name, so that one that this page does not know is shown all the same.
fn title(name: &str) -> String {
    match name {
        "models" => "Models".into(),
        "request_cost_max" => "Credits a request".into(),
        "requests_per_minute_max" => "Requests a minute".into(),
        "expires_at" => "Expires".into(),
        other => other.replace('_', " "),
    }
}

fn shown(name: &str, value: &Value, names: &Names) -> Markup {
    html! {
        @match (name, value) {
            (_, Value::Null) => "no limit",
            ("models", Value::Array(models)) if models.is_empty() => "all",
            ("models", Value::Array(models)) => {
                @for (at, model) in models.iter().enumerate() {
                    @if at > 0 { ", " }
                    (names.model(ModelId(model.as_u64().and_then(|id| u16::try_from(id).ok()).unwrap_or(u16::MAX))))
                }
            },
            ("expires_at", Value::Number(moment)) => (when(moment.as_u64().unwrap_or_default())),
            (_, Value::String(amount)) => {
                @match amount.parse() { Ok(amount) => (credits(amount)), Err(_) => (amount) }
            },
            (_, other) => (other.to_string()),
        }
    }
}
