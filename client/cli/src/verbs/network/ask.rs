//! The questions, for whoever gave no flags at a terminal.

use std::io::{BufRead, Write};

use anyhow::Result;

use crate::failure::Failure;

/// Asks at a terminal, or what stands for one in a test.
pub(crate) struct Ask<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead, output: &'a mut dyn Write) -> Self {
        Ask { input, output }
    }

    /// One line; asks again until `read` understands it.
    pub(crate) fn one<T>(&mut self, question: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T> {
        loop {
            match read(self.line(question)?.trim()) {
                Ok(value) => return Ok(value),
                Err(why) => writeln!(self.output, "  {why}")?,
            }
        }
    }

    /// Lines until an empty one; asks again for one that `read` does not understand, and until there
    /// are `at_least`.
    pub(crate) fn many<T>(
        &mut self,
        question: &str,
        at_least: usize,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        writeln!(self.output, "{question} One a line; an empty line ends the list.")?;
        let mut values = Vec::new();
        loop {
            let line = self.line(&format!("  {}.", values.len() + 1))?;
            match line.trim() {
                "" if values.len() >= at_least => return Ok(values),
                "" => writeln!(self.output, "  At least {at_least} is needed.")?,
                line => match read(line) {
                    Ok(value) => values.push(value),
                    Err(why) => writeln!(self.output, "  {why}")?,
                },
            }
        }
    }

    fn line(&mut self, question: &str) -> Result<String> {
        write!(self.output, "{question} ")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(Failure::usage("the answers ended before the questions did; nothing was made").into());
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn number(text: &str) -> Result<u8, String> {
        text.parse().map_err(|_| format!("{text} is no number"))
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again_with_the_reason() {
        let (mut input, mut output) = (&b"x\n7\n"[..], Vec::new());
        assert_eq!(Ask::new(&mut input, &mut output).one("How many?", number).unwrap(), 7);
        assert!(String::from_utf8(output).unwrap().contains("x is no number"));
    }

    #[test]
    fn a_list_ends_with_an_empty_line_once_it_is_long_enough() {
        let (mut input, mut output) = (&b"\n1\nx\n2\n\n"[..], Vec::new());
        assert_eq!(Ask::new(&mut input, &mut output).many("Which?", 1, number).unwrap(), [1, 2]);
    }

    #[test]
    fn answers_that_end_early_make_nothing() {
        let (mut input, mut output) = (&b"1\n"[..], Vec::new());
        assert!(Ask::new(&mut input, &mut output).many("Which?", 1, number).is_err());
    }
}
