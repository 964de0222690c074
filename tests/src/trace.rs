//! The request trace that demo and tests replay: one hour of a production service.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

/// One request of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Time since the trace's first request.
    pub at: Duration,
    /// Prompt tokens.
    pub input: u32,
    /// Generated tokens.
    pub output: u32,
}

/// The trace in `tests/data`, read at build time so that a program runs from anywhere.
const CSV: &str = include_str!("../data/AzureLLMInferenceTrace_code.csv");

/// The first `count` requests of the trace.
pub fn requests(count: usize) -> Result<Vec<Request>> {
    let mut reader = csv::Reader::from_reader(CSV.as_bytes());
    let mut first = None;
    reader
        .records()
        .take(count)
        .map(|record| {
            let record = record?;
            let field = |at: usize| record.get(at).context("a row of the trace has too few fields");
            let at = micros_of_day(field(0)?)?;
            let start = *first.get_or_insert(at);
            Ok(Request {
                at: Duration::from_micros(at.saturating_sub(start)),
                input: field(1)?.parse()?,
                output: field(2)?.parse()?,
            })
        })
        .collect()
}

/// Microseconds since midnight of `YYYY-MM-DD hh:mm:ss.fffffff`; the trace lies within one day.
fn micros_of_day(timestamp: &str) -> Result<u64> {
    let clock = timestamp.split(' ').nth(1).context("a time of the trace has no clock part")?;
    let mut parts = clock.split(':');
    let mut next = || parts.next().context("a time of the trace is not hh:mm:ss");
    let (hours, minutes, seconds): (u64, u64, f64) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    Ok((hours * 3600 + minutes * 60) * 1_000_000 + (seconds * 1e6).round() as u64)
}

/// Writes rows of this machine's measurements as CSV.
pub fn write_csv(path: &Path, header: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_trace_reads_as_published() {
        let all = requests(usize::MAX).unwrap();
        assert_eq!(all.len(), 8_819);
        assert_eq!(all[0], Request { at: Duration::ZERO, input: 4808, output: 10 });
        assert_eq!(all[1].at, Duration::from_millis(52));
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
