//! A strict reader for JSON that strangers send.
//!
//! Own code, because `serde_json` takes the last of two members with one name, and reads numbers on another
//! path wherever some crate of the build turns on its `arbitrary_precision`: node and runtime would
//! disagree about one token. This reader does the same in every build. The tests hold it against `serde_json`.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

/// Lists and objects within each other, at most. NVIDIA's tokens and key sets need 4.
pub(crate) const DEPTH_MAX: usize = 8;

/// The members of an object.
pub(crate) type Members = BTreeMap<String, Json>;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A number, by its value if it is whole, not negative and below 2^64.
    Number(Option<u64>),
    Text(String),
    List(Vec<Json>),
    Object(Members),
}

/// Why bytes were not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Malformed,
    /// Two members of one object have one name.
    Duplicate,
    TooDeep,
}

/// The value that `bytes` are, from the first byte to the last.
pub(crate) fn read(bytes: &[u8]) -> Result<Json, Fault> {
    let text = core::str::from_utf8(bytes).map_err(|_| Fault::Malformed)?;
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(Fault::Malformed)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over `expected` if it comes next.
    fn take(&mut self, expected: &str) -> bool {
        let found = self.text.as_bytes()[self.at..].starts_with(expected.as_bytes());
        if found {
            self.at += expected.len();
        }
        found
    }

    fn expect(&mut self, expected: &str) -> Result<(), Fault> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(Fault::Malformed)
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_MAX => Err(Fault::TooDeep),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.take("null") => Ok(Json::Null),
            _ if self.take("true") => Ok(Json::Bool(true)),
            _ if self.take("false") => Ok(Json::Bool(false)),
            _ => Err(Fault::Malformed),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Fault> {
        let mut members = Members::new();
        self.expect("{")?;
        self.skip_space();
        if self.take("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(":")?;
            self.skip_space();
            let value = self.value(depth)?;
            if members.insert(name, value).is_some() {
                return Err(Fault::Duplicate);
            }
            self.skip_space();
            if self.take("}") {
                return Ok(Json::Object(members));
            }
            self.expect(",")?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, Fault> {
        let mut values = Vec::new();
        self.expect("[")?;
        self.skip_space();
        if self.take("]") {
            return Ok(Json::List(values));
        }
        loop {
            self.skip_space();
            values.push(self.value(depth)?);
            self.skip_space();
            if self.take("]") {
                return Ok(Json::List(values));
            }
            self.expect(",")?;
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.expect("\"")?;
        let mut string = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            // Quotes and backslashes are never inside of a character of several bytes.
            string.push_str(&self.text[start..self.at]);
            if self.take("\"") {
                return Ok(string);
            }
            self.expect("\\")?;
            string.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.peek().ok_or(Fault::Malformed)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(Fault::Malformed),
        })
    }

    /// The character of `\uXXXX`, or of two of them that stand for one character (RFC 8259, section 7).
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            self.expect("\\u")?;
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(Fault::Malformed);
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(Fault::Malformed)
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Fault::Malformed)?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(Fault::Malformed)
        } else {
            Ok(())
        }
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let start = self.at;
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            self.digits()?;
        }
        Ok(Json::Number(self.text[start..self.at].parse().ok()))
    }
}
