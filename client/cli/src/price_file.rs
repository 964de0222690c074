//! The file that a price book is published from.
//!
//! ```toml
//! [[model]]
//! id = 0                    # number of the model, never used for another name
//! name = "gemma-3-270m"     # what callers write into "model"
//! class = "Innovation"      # name or number of the class that pays
//! premium = false           # only for wallets with a Priority entitlement
//! c_input = 10              # micro-credits per computed prompt token
//! c_cached = 1              # micro-credits per cached prompt token
//! c_output = 40             # micro-credits per generated token
//! c_model = 0               # micro-credits per request and unit of weight
//! weight = 0                # how heavy the model is
//! reference_input = 75000   # price of a million prompt tokens outside, in micro-USD
//! reference_output = 300000 # price of a million generated tokens outside, in micro-USD
//! ```

use serde::Deserialize;
use stipend_sdk::primitives::{
    cost::{entries_are_canonical, PriceEntries, PriceEntry, BOOK_ENTRIES_MAX},
    view::Class,
    ClassId, ModelId,
};

use crate::parse;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    #[serde(default, rename = "model")]
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    id: u16,
    name: String,
    class: ClassName,
    #[serde(default)]
    premium: bool,
    c_input: u64,
    c_cached: u64,
    c_output: u64,
    #[serde(default)]
    c_model: u64,
    #[serde(default)]
    weight: u32,
    #[serde(default)]
    reference_input: u64,
    #[serde(default)]
    reference_output: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ClassName {
    Number(u16),
    Name(String),
}

/// Reads the entries of a book, or says everything that is wrong with them.
pub(crate) fn read(text: &str, classes: &[(ClassId, Class)]) -> Result<PriceEntries, Vec<String>> {
    let file: PriceFile = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for model in file.models {
        match entry(&model, classes) {
            Ok(entry) => entries.push(entry),
            Err(reason) => faults.push(format!("model {} (\"{}\"): {reason}", model.id, model.name)),
        }
    }
    entries.sort_by_key(|entry| entry.model);
    for pair in entries.windows(2).filter(|pair| pair[0].model == pair[1].model) {
        faults.push(format!("model {} stands twice", pair[0].model.0));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if entries.is_empty() {
        return Err(vec!["there is no [[model]]; a book needs at least one".into()]);
    }
    if !entries_are_canonical(&entries) {
        return Err(vec!["two models have the same name".into()]);
    }
    let count = entries.len();
    entries
        .try_into()
        .map_err(|_| vec![format!("there are {count} models; a book has at most {BOOK_ENTRIES_MAX}")])
}

fn entry(model: &Model, classes: &[(ClassId, Class)]) -> Result<PriceEntry, String> {
    let known = |(id, class): &&(ClassId, Class)| match &model.class {
        ClassName::Number(number) => id.0 == *number,
        ClassName::Name(name) => parse::text(&class.name).eq_ignore_ascii_case(name),
    };
    let class = classes.iter().find(known).map(|(id, _)| *id).ok_or_else(|| {
        let names: Vec<_> = classes.iter().map(|(_, class)| parse::text(&class.name)).collect();
        format!("there is no such class; there are {}", names.join(", "))
    })?;
    Ok(PriceEntry {
        model: ModelId(model.id),
        name: parse::name(&model.name)?,
        class,
        premium: model.premium,
        c_input: model.c_input,
        c_cached: model.c_cached,
        c_output: model.c_output,
        c_model: model.c_model,
        weight: model.weight,
        reference_input: model.reference_input,
        reference_output: model.reference_output,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::settlement::UnattestedPolicy;

    fn classes() -> Vec<(ClassId, Class)> {
        let class = |name| Class { name: parse::name(name).unwrap(), unattested: UnattestedPolicy::Refund };
        vec![(ClassId(0), class("Innovation")), (ClassId(3), class("Reasoning"))]
    }

    fn model(id: u16, name: &str, class: &str) -> String {
        format!("[[model]]\nid = {id}\nname = \"{name}\"\nclass = {class}\nc_input = 1\nc_cached = 1\nc_output = 2\n")
    }

    #[test]
    fn models_are_sorted_and_classes_found_by_name_or_number() {
        let text = model(7, "b", "\"reasoning\"") + &model(2, "a", "0");
        let entries = read(&text, &classes()).unwrap();
        assert_eq!((entries[0].model, entries[0].class), (ModelId(2), ClassId(0)));
        assert_eq!((entries[1].model, entries[1].class), (ModelId(7), ClassId(3)));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let text = model(1, "", "0") + &model(2, "x", "\"Bio\"");
        let faults = read(&text, &classes()).unwrap_err();
        assert!(faults[0].contains("cannot be empty") && faults[1].contains("no such class"), "{faults:?}");
    }

    #[test]
    fn doubles_and_an_empty_book_are_refused() {
        let doubled = model(1, "a", "0") + &model(1, "b", "0");
        assert!(read(&doubled, &classes()).unwrap_err()[0].contains("stands twice"));
        let namesakes = model(1, "a", "0") + &model(2, "a", "0");
        assert!(read(&namesakes, &classes()).unwrap_err()[0].contains("same name"));
        assert!(read("", &classes()).unwrap_err()[0].contains("no [[model]]"));
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let text = model(1, "a", "0") + "c_ouput = 3\n";
        assert!(read(&text, &classes()).unwrap_err()[0].contains("c_ouput"));
    }
}
