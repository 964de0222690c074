//! One request of a scene, as it is written down.

use anyhow::{bail, Context, Result};
use stipend_detectors::{Endpoint, Finish};

/// One request. Wallets, keys and so on are numbers within the scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the set's first midnight.
    pub at_ms: u64,
    /// Who pays.
    pub wallet: u64,
    /// With which key.
    pub key: u64,
    /// Which model.
    pub model: u64,
    /// Where it was asked for.
    pub endpoint: Endpoint,
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
    /// The most it could have.
    pub max: u64,
    /// How it ended.
    pub finish: Finish,
    /// Thousandths of it that were fetched.
    pub fetched: u64,
    /// Recipe of the prompt.
    pub prompt: String,
    /// Which tool calls the last turn made; 0: none.
    pub tools: u64,
    /// From which network.
    pub network: u64,
    /// By which program.
    pub agent: u64,
    /// For which purpose; 0: none named.
    pub purpose: u64,
    /// Milliseconds since the set's first midnight at which credits expire; 0: nobody knows.
    pub ends_ms: u64,
}

impl Default for Event {
    fn default() -> Self {
        Event {
            at_ms: 0,
            wallet: 0,
            key: 0,
            model: 0,
            endpoint: Endpoint::Text,
            input: 100,
            output: 100,
            max: 1_024,
            finish: Finish::Stop,
            fetched: 1_000,
            prompt: "u0x10".into(),
            tools: 0,
            network: 0,
            agent: 0,
            purpose: 0,
            ends_ms: 0,
        }
    }
}

const ENDPOINTS: [(char, Endpoint); 3] =
    [('t', Endpoint::Text), ('e', Endpoint::Embeddings), ('o', Endpoint::Other)];

const FINISHES: [(char, Finish); 5] = [
    ('s', Finish::Stop),
    ('l', Finish::Length),
    ('t', Finish::Tools),
    ('f', Finish::Failed),
    ('u', Finish::Unknown),
];

impl Event {
    /// The line of an event: the time since the event before, and each field that is another one than there, after its letter.
    pub fn line(&self, before: &Event) -> String {
        let mut line = format!("+{}", self.at_ms - before.at_ms);
        for ((letter, number), (_, known)) in self.numbers().into_iter().zip(before.numbers()) {
            if number != known {
                line.push_str(&format!(" {letter}{number}"));
            }
        }
        if self.endpoint != before.endpoint {
            line.push_str(&format!(" e{}", letter_of(&ENDPOINTS, self.endpoint)));
        }
        if self.finish != before.finish {
            line.push_str(&format!(" f{}", letter_of(&FINISHES, self.finish)));
        }
        if self.prompt != before.prompt {
            line.push_str(&format!(" q{}", self.prompt));
        }
        line
    }

    /// Reads a line.
    pub fn read(line: &str, before: &Event) -> Result<Event> {
        let mut event = before.clone();
        for field in line.split(' ') {
            let letter = field.chars().next().context("a line has two spaces in a row")?;
            let rest = &field[1..];
            match letter {
                '+' => event.at_ms = before.at_ms + number(rest)?,
                'e' => event.endpoint = value_of(&ENDPOINTS, rest)?,
                'f' => event.finish = value_of(&FINISHES, rest)?,
                'q' => event.prompt = rest.to_owned(),
                _ => *event.place(letter)? = number(rest)?,
            }
        }
        Ok(event)
    }

    fn numbers(&self) -> [(char, u64); 12] {
        [
            ('w', self.wallet),
            ('k', self.key),
            ('m', self.model),
            ('i', self.input),
            ('o', self.output),
            ('x', self.max),
            ('r', self.fetched),
            ('c', self.tools),
            ('n', self.network),
            ('a', self.agent),
            ('p', self.purpose),
            ('d', self.ends_ms),
        ]
    }

    fn place(&mut self, letter: char) -> Result<&mut u64> {
        Ok(match letter {
            'w' => &mut self.wallet,
            'k' => &mut self.key,
            'm' => &mut self.model,
            'i' => &mut self.input,
            'o' => &mut self.output,
            'x' => &mut self.max,
            'r' => &mut self.fetched,
            'c' => &mut self.tools,
            'n' => &mut self.network,
            'a' => &mut self.agent,
            'p' => &mut self.purpose,
            'd' => &mut self.ends_ms,
            _ => bail!("no field has the letter `{letter}`"),
        })
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("`{text}` is no number"))
}

fn letter_of<T: PartialEq>(table: &[(char, T)], value: T) -> char {
    table.iter().find(|(_, known)| *known == value).map_or('?', |(letter, _)| *letter)
}

fn value_of<T: Copy>(table: &[(char, T)], text: &str) -> Result<T> {
    let found = table.iter().find(|(letter, _)| text.chars().eq([*letter]));
    found.map(|(_, value)| *value).with_context(|| format!("`{text}` is none of the letters"))
}
