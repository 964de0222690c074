//! The shapes of answers, as the command's help writes them: `{a, b?, c: [{d}]}`.

use std::{iter::Peekable, str::Chars};

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

/// What an answer has to look like.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// An array of these.
    Array(Box<Shape>),
    /// An object with these fields and no others: name, whether it may be missing, and what it holds.
    Object(Vec<(String, bool, Shape)>),
}

impl Shape {
    /// Reads a shape; what stands behind it is for people. Text that begins otherwise says nothing of fields.
    pub fn read(text: &str) -> Result<Self> {
        if !text.starts_with(['{', '[']) {
            return Ok(Shape::Any);
        }
        value(&mut text.chars().peekable()).with_context(|| format!("{text:?} is no shape"))
    }

    /// Holds an answer against it.
    pub fn check(&self, answer: &Value) -> Result<()> {
        match (self, answer) {
            (Shape::Any, _) => Ok(()),
            (Shape::Array(of), Value::Array(items)) => items.iter().try_for_each(|item| of.check(item)),
            // What may be missing may be nothing, too.
            (Shape::Object(_) | Shape::Array(_), Value::Null) => Ok(()),
            (Shape::Object(fields), Value::Object(found)) => {
                for (name, may_be_missing, shape) in fields {
                    match found.get(name) {
                        Some(value) => shape.check(value).with_context(|| format!("in {name}"))?,
                        None => ensure!(*may_be_missing, "there is no {name}"),
                    }
                }
                let unknown = found.keys().find(|name| fields.iter().all(|(known, ..)| known != *name));
                ensure!(unknown.is_none(), "it has {unknown:?}, which nobody told of");
                Ok(())
            }
            _ => bail!("it should be {self:?}"),
        }
    }
}

fn value(text: &mut Peekable<Chars<'_>>) -> Result<Shape> {
    match text.next() {
        Some('[') => {
            let of = value(text)?;
            expect(text, ']')?;
            Ok(Shape::Array(Box::new(of)))
        }
        Some('{') => fields(text).map(Shape::Object),
        Some(letter) if letter.is_ascii_alphabetic() => {
            word(text);
            Ok(Shape::Any)
        }
        other => bail!("{other:?} begins no value"),
    }
}

fn fields(text: &mut Peekable<Chars<'_>>) -> Result<Vec<(String, bool, Shape)>> {
    let mut fields = Vec::new();
    loop {
        let name = word(text);
        ensure!(!name.is_empty(), "a field without a name");
        let may_be_missing = text.next_if_eq(&'?').is_some();
        let shape = if text.next_if_eq(&':').is_some() {
            expect(text, ' ')?;
            value(text)?
        } else {
            Shape::Any
        };
        fields.push((name, may_be_missing, shape));
        match text.next() {
            Some(',') => expect(text, ' ')?,
            Some('}') => return Ok(fields),
            other => bail!("{other:?} behind a field"),
        }
    }
}

fn word(text: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(letter) = text.next_if(|letter| letter.is_ascii_alphanumeric() || *letter == '_') {
        word.push(letter);
    }
    word
}

fn expect(text: &mut Peekable<Chars<'_>>, wanted: char) -> Result<()> {
    ensure!(text.next_if_eq(&wanted).is_some(), "{wanted:?} is missing");
    Ok(())
}

#[test]
fn a_shape_tells_missing_and_unknown_fields() -> Result<()> {
    let shape = Shape::read("{a, b?, c: [{d}]}; and prose")?;
    let check = |text: &str| shape.check(&serde_json::from_str(text).unwrap_or_default());
    check(r#"{"a": 1, "c": [{"d": 2}, {"d": 3}]}"#)?;
    check(r#"{"a": 1, "b": 7, "c": []}"#)?;
    for wrong in [r#"{"c": []}"#, r#"{"a": 1, "c": [{"e": 2}]}"#, r#"{"a": 1, "c": [], "f": 1}"#, "[]"] {
        ensure!(check(wrong).is_err(), "{wrong}");
    }
    ensure!(Shape::read("the proof, as a page describes it")? == Shape::Any, "prose is no shape");
    ensure!(Shape::read("{a b}").is_err(), "half a shape");
    Ok(())
}
