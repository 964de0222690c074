//! What a request draws on besides its own body. It could cost without bound: an earlier conversation that
//! the engine remembers, tools that the engine runs and feeds back to itself, work that goes on when the
//! answer is there.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Endpoint;

/// Kinds of tools that the caller runs; a tool of messages without a kind is one too. Those of the second
/// list carry a version behind their name.
const CALLERS_TOOLS: [&str; 2] = ["function", "custom"];
const CALLERS_TOOLS_OF_VERSIONS: [&str; 4] = ["bash_", "computer_", "memory_", "text_editor_"];

/// Fields that can name something outside of the body; `None` where they are absent or `null`.
pub(crate) struct Outside<'a> {
    pub(crate) previous_response_id: Option<&'a RawValue>,
    pub(crate) conversation: Option<&'a RawValue>,
    pub(crate) background: Option<&'a RawValue>,
    pub(crate) container: Option<&'a RawValue>,
    pub(crate) mcp_servers: Option<&'a RawValue>,
    /// A stored prompt with responses; the prompt itself elsewhere.
    pub(crate) prompt: Option<&'a RawValue>,
    pub(crate) tools: Option<&'a RawValue>,
    pub(crate) input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

impl Outside<'_> {
    /// The field that draws on something outside of the body, if one does.
    pub(crate) fn field(&self, endpoint: Endpoint) -> Result<Option<&'static str>, serde_json::Error> {
        let named = match endpoint {
            Endpoint::Responses => [
                ("previous_response_id", self.previous_response_id.is_some()),
                ("conversation", self.conversation.is_some()),
                ("prompt", self.prompt.is_some()),
                ("background", self.background.is_some_and(|raw| !matches!(raw.get(), "false" | "null"))),
                ("input", self.refers_to_items()?),
            ]
            .into_iter()
            .find(|(_, is_there)| *is_there),
            Endpoint::Messages => {
                let is_there = [("container", self.container), ("mcp_servers", self.mcp_servers)];
                is_there.into_iter().map(|(name, raw)| (name, raw.is_some())).find(|(_, is_there)| *is_there)
            }
            _ => None,
        };
        match named {
            Some((name, _)) => Ok(Some(name)),
            None if endpoint.generates_text() && self.engine_runs_tools()? => Ok(Some("tools")),
            None => Ok(None),
        }
    }

    fn refers_to_items(&self) -> Result<bool, serde_json::Error> {
        let kinds = kinds(self.input)?;
        Ok(kinds.iter().any(|kind| kind.kind.as_deref() == Some("item_reference")))
    }

    fn engine_runs_tools(&self) -> Result<bool, serde_json::Error> {
        let is_callers = |kind: &str| {
            CALLERS_TOOLS.contains(&kind)
                || CALLERS_TOOLS_OF_VERSIONS.iter().any(|prefix| kind.starts_with(prefix))
        };
        Ok(!kinds(self.tools)?.iter().all(|tool| tool.kind.as_deref().is_none_or(is_callers)))
    }
}

/// The kinds of the objects in a list; of what is no list, none.
fn kinds<'a>(list: Option<&'a RawValue>) -> Result<Vec<Kind<'a>>, serde_json::Error> {
    let Some(list) = list.map(RawValue::get).filter(|list| list.starts_with('[')) else {
        return Ok(Vec::new());
    };
    let items: Vec<&RawValue> = serde_json::from_str(list)?;
    let objects = items.into_iter().map(RawValue::get).filter(|item| item.starts_with('{'));
    objects.map(serde_json::from_str).collect()
}
