//! The limits of an API key: as they are, and as a form.

use maud::{html, Markup};
use serde_json::Value;
use stipend_primitives::ModelId;

use super::{
    grants::amount_field,
    words::{credits, when},
};
use crate::read::Names;

/// Limits of a key, each with its name.
pub fn facts(limits: &Value, names: &Names) -> Markup {
    html! {
        dl.facts {
            @if let Value::Object(limits) = limits {
                @for (name, value) in limits {
                    dt { (title(name)) }
                    dd { (shown(name, value, names)) }
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
        "credits_per_day_max" => "Credits a day".into(),
        "credits_per_minute_max" => "Credits a minute".into(),
        "tokens_per_minute_max" => "Tokens a minute".into(),
        "model_credits_per_day_max" => "Credits a day by model".into(),
        "expires_at" => "Expires".into(),
        other => other.replace('_', " "),
    }
}

fn model(names: &Names, value: &Value) -> String {
    names.model(ModelId(value.as_u64().and_then(|id| u16::try_from(id).ok()).unwrap_or(u16::MAX)))
}

fn amount(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), credits)
}

fn shown(name: &str, value: &Value, names: &Names) -> Markup {
    let listed = |rows: &[Value], text: &dyn Fn(&Value) -> String| {
        let texts: Vec<String> = rows.iter().map(text).collect();
        texts.join(", ")
    };
    html! {
        @match (name, value) {
            ("expires_at", Value::Null) => "never",
            (_, Value::Null) => "no limit",
            ("models", Value::Array(models)) if models.is_empty() => "all",
            ("models", Value::Array(models)) => (listed(models, &|id| model(names, id))),
            ("model_credits_per_day_max", Value::Array(caps)) if caps.is_empty() => "no limit",
            ("model_credits_per_day_max", Value::Array(caps)) => (listed(caps, &|cap| {
                format!("{} for {}", amount(cap["credits_max"].as_str().unwrap_or_default()), model(names, &cap["model"]))
            })),
            ("expires_at", Value::Number(moment)) => (when(moment.as_u64().unwrap_or_default())),
            (_, Value::String(text)) => (amount(text)),
            (_, other) => (other.to_string()),
        }
    }
}

/// Fields for all limits; `id` keeps those of several forms apart. Fields left empty are no limit.
pub fn fields(id: &str, names: &Names, now: &Value) -> Markup {
    let number = |name: &str| now[name].as_u64().map(|count| count.to_string());
    html! {
        p.note { "Whatever is left empty is not limited. Caps are kept by each gateway for itself." }
        @if !names.models.is_empty() {
            fieldset {
                legend { "Models (none chosen: every model)" }
                @for (model, name) in &names.models {
                    @let field = format!("{id}-model-{}", model.0);
                    @let chosen = now["models"].as_array().is_some_and(|list| list.contains(&model.0.into()));
                    div.choice {
                        input type="checkbox" id=(field) name="models" value=(model.0) checked[chosen];
                        label for=(field) { (name) }
                    }
                }
            }
        }
        div.columns {
            (amount_limit(id, "request_cost_max", now))
            (amount_limit(id, "credits_per_day_max", now))
            (amount_limit(id, "credits_per_minute_max", now))
            (count_limit(id, "requests_per_minute_max", number("requests_per_minute_max")))
            (count_limit(id, "tokens_per_minute_max", number("tokens_per_minute_max")))
            div {
                @let field = format!("{id}-expires");
                label for=(field) { "Expires (UTC)" }
                input type="datetime-local" id=(field) name="expires_at" step="1"
                    data-ms=[now["expires_at"].as_u64()];
            }
        }
        @if !names.models.is_empty() {
            details open[now["model_credits_per_day_max"].as_array().is_some_and(|caps| !caps.is_empty())] {
                summary { "Credits a day for single models (8 at most)" }
                div.columns {
                    @for (model, name) in &names.models {
                        @let caps = now["model_credits_per_day_max"].as_array();
                        @let cap = caps.and_then(|caps| caps.iter().find(|cap| cap["model"] == model.0));
                        div {
                            @let field = format!("{id}-cap-{}", model.0);
                            (amount_with(&field, "model_cap", name, cap.and_then(|cap| cap["credits_max"].as_str()), Some(model.0)))
                        }
                    }
                }
            }
        }
    }
}

fn amount_limit(id: &str, name: &str, now: &Value) -> Markup {
    html! { div { (amount_with(&format!("{id}-{name}"), name, &title(name), now[name].as_str(), None)) } }
}

fn amount_with(id: &str, name: &str, label: &str, micro: Option<&str>, model: Option<u16>) -> Markup {
    // As one writes it: without the thin blanks of a page's figures.
    let written = micro.and_then(|micro| micro.parse().ok()).map(stipend_sdk::amount::credits);
    html! {
        @if written.is_none() && model.is_none() { (amount_field(id, name, label, false)) }
        @else {
            label for=(id) { (label) }
            input type="text" id=(id) name=(name) value=[written] data-model=[model] inputmode="decimal"
                autocomplete="off" pattern="[0-9]+([.][0-9]{1,6})?" title="credits with up to six decimals, such as 12.5";
        }
    }
}

fn count_limit(id: &str, name: &str, now: Option<String>) -> Markup {
    let field = format!("{id}-{name}");
    html! {
        div {
            label for=(field) { (title(name)) }
            input type="number" id=(field) name=(name) min="1" max="4294967295" step="1" value=[now];
        }
    }
}
