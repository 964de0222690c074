//! Calls of tools: where a request brings tools, the first one is called, with invented words.

use serde_json::Value;

/// What stands around the words in the arguments of a call, so that they are JSON.
pub(crate) const BEGIN: &str = "{\"words\":\"";
pub(crate) const END: &str = "\"}";

/// The name of the tool that is called, if one is.
pub(crate) fn called(tools: Option<&Value>, choice: Option<&Value>) -> Option<String> {
    let declined = choice.is_some_and(|choice| choice == "none" || choice["type"] == "none");
    let first = tools?.get(0).filter(|_| !declined)?;
    let name = first["function"]["name"].as_str().or(first["name"].as_str())?;
    Some(name.to_string())
}
