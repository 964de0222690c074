//! The judge's answer, read strictly: whatever is not exactly a verdict is none.

use std::fmt;

use serde::Deserialize;

/// Bytes of an answer: a verdict has some 300.
const BYTES_MAX: usize = 4_096;

/// The most marks there are.
const MARKS_MAX: u8 = 10;

/// Who is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Winner {
    /// The text in the first place.
    A,
    /// The text in the second place.
    B,
    /// Neither.
    #[serde(rename = "tie")]
    Tie,
}

/// What the judge said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Who is better.
    pub winner: Winner,
    /// Marks of ten of the first text.
    pub marks_a: u8,
    /// Marks of ten of the second text.
    pub marks_b: u8,
    /// Whether the first text is filler.
    pub filler_a: bool,
    /// Whether the second text is filler.
    pub filler_b: bool,
    /// Whether the first text speaks to its judge.
    pub instructs_a: bool,
    /// Whether the second text speaks to its judge.
    pub instructs_b: bool,
    /// Why.
    pub reason: String,
}

/// Why an answer is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the judge's answer is no verdict: {0}")]
pub struct BadVerdict(String);

/// Reads an answer.
pub fn read(answer: &str) -> Result<Verdict, BadVerdict> {
    let answer = answer.trim();
    if answer.len() > BYTES_MAX {
        return Err(BadVerdict(format!("it has {} bytes", answer.len())));
    }
    // A structure may be written as an array too; a verdict may not.
    if !answer.starts_with('{') {
        return Err(BadVerdict("it does not begin with `{`".into()));
    }
    let verdict: Verdict = serde_json::from_str(answer).map_err(|error| BadVerdict(error.to_string()))?;
    let (a, b) = (verdict.marks_a, verdict.marks_b);
    if a.max(b) > MARKS_MAX {
        return Err(BadVerdict(format!("there are at most {MARKS_MAX} marks")));
    }
    let fits = match verdict.winner {
        Winner::A => a > b,
        Winner::B => b > a,
        Winner::Tie => a == b,
    };
    if !fits {
        return Err(BadVerdict("its marks do not fit its winner".into()));
    }
    Ok(verdict)
}

impl Verdict {
    /// The same verdict with the places exchanged.
    pub fn exchanged(&self) -> Verdict {
        Verdict {
            winner: match self.winner {
                Winner::A => Winner::B,
                Winner::B => Winner::A,
                Winner::Tie => Winner::Tie,
            },
            marks_a: self.marks_b,
            marks_b: self.marks_a,
            filler_a: self.filler_b,
            filler_b: self.filler_a,
            instructs_a: self.instructs_b,
            instructs_b: self.instructs_a,
            reason: self.reason.clone(),
        }
    }

    /// Marks by which the first text is better; 0 if it is not.
    pub fn margin(&self) -> u8 {
        self.marks_a.saturating_sub(self.marks_b)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let winner = match self.winner {
            Winner::A => "A is better",
            Winner::B => "B is better",
            Winner::Tie => "neither is better",
        };
        write!(formatter, "{winner}, {} to {} marks; {}", self.marks_a, self.marks_b, self.reason)
    }
}
