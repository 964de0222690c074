//! The figures of an experiment as CSV: `variant,n,successes` or `variant,n,mean,sd`.

use std::fmt;

use super::VARIANTS_MAX;
use crate::statistics::{Mean, Share};

/// Bytes of a file: a line per variant.
const BYTES_MAX: usize = 64 << 10;

/// Largest number of units in a variant: above it, integers are no longer exact as fractions.
const COUNT_MAX: u64 = 1 << 53;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The variant.
    pub variant: String,
    /// Its figures.
    pub sample: Sample,
}

/// The figures of a variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// Successes were counted.
    Share(Share),
    /// A value was measured.
    Mean(Mean),
}

impl Sample {
    /// How many were looked at.
    pub fn count(&self) -> u64 {
        match self {
            Sample::Share(share) => share.count,
            Sample::Mean(mean) => mean.count,
        }
    }

    /// The share or the mean.
    pub fn value(&self) -> f64 {
        match self {
            Sample::Share(share) => share.rate(),
            Sample::Mean(mean) => mean.mean,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sample::Share(share) => write!(formatter, "{} of {}", share.successes, share.count),
            Sample::Mean(mean) => {
                write!(formatter, "mean {}, sd {}, of {}", mean.mean, mean.deviation, mean.count)
            }
        }
    }
}

/// Reads a file. The error names the line.
pub fn read(bytes: &[u8]) -> Result<Vec<Row>, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("it has {} bytes, and at most {BYTES_MAX} are read", bytes.len()));
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let head = reader.headers().map_err(|error| format!("line 1 cannot be read: {error}"))?;
    let columns: Vec<&str> = head.iter().collect();
    let is_share = match columns[..] {
        ["variant", "n", "successes"] => true,
        ["variant", "n", "mean", "sd"] => false,
        _ => {
            return Err(format!(
                "line 1 names the columns `{}`; they are `variant,n,successes` or `variant,n,mean,sd`",
                columns.join(",")
            ))
        }
    };
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let line = rows.len() + 2;
        let record = record.map_err(|error| format!("line {line} cannot be read: {error}"))?;
        let sample = if is_share { share(&record) } else { mean(&record) };
        let sample = sample.map_err(|why| format!("line {line}: {why}"))?;
        let variant = record.get(0).unwrap_or_default().to_owned();
        if variant.is_empty() || rows.iter().any(|row| row.variant == variant) {
            return Err(format!("line {line}: the variant `{variant}` has no name, or stands there twice"));
        }
        if rows.len() == VARIANTS_MAX {
            return Err(format!("there are more than {VARIANTS_MAX} variants"));
        }
        rows.push(Row { variant, sample });
    }
    Ok(rows)
}

fn count(record: &csv::StringRecord, column: usize, name: &str) -> Result<u64, String> {
    let text = record.get(column).unwrap_or_default();
    let count = text.parse().ok().filter(|count| *count <= COUNT_MAX);
    count.ok_or_else(|| format!("`{name}` is `{text}`; it must be a whole number up to 2^53"))
}

fn value(record: &csv::StringRecord, column: usize, name: &str) -> Result<f64, String> {
    let text = record.get(column).unwrap_or_default();
    let value = text.parse().ok().filter(|value: &f64| value.is_finite());
    value.ok_or_else(|| format!("`{name}` is `{text}`; it must be a number"))
}

fn share(record: &csv::StringRecord) -> Result<Sample, String> {
    let share = Share { count: count(record, 1, "n")?, successes: count(record, 2, "successes")? };
    if share.count == 0 || share.successes > share.count {
        return Err(format!("{} successes of {} cannot be", share.successes, share.count));
    }
    Ok(Sample::Share(share))
}

fn mean(record: &csv::StringRecord) -> Result<Sample, String> {
    let mean = Mean {
        count: count(record, 1, "n")?,
        mean: value(record, 2, "mean")?,
        deviation: value(record, 3, "sd")?,
    };
    if mean.count < 2 || mean.deviation < 0.0 {
        return Err("a mean takes at least two values, and their deviation is not below 0".into());
    }
    Ok(Sample::Mean(mean))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_read() {
        let rows = read(b"variant,n,successes\ncontrol,1000,100\nnew , 1000, 130\n").unwrap();
        assert_eq!(rows[1].sample, Sample::Share(Share { count: 1000, successes: 130 }));
        let rows = read(b"variant,n,mean,sd\r\ncontrol,30,10,2\r\nnew,40,11.5,3\r\n").unwrap();
        assert_eq!(rows[1].variant, "new");
        assert_eq!(rows[1].sample.value(), 11.5);
    }

    #[test]
    fn every_wrong_line_is_named() {
        for (text, why) in [
            ("a,b\n1,2", "line 1 names the columns `a,b`"),
            ("variant,n,successes\na,10,11", "line 2: 11 successes of 10"),
            ("variant,n,successes\na,0,0", "line 2: 0 successes of 0"),
            ("variant,n,successes\na,-1,0", "`n` is `-1`"),
            ("variant,n,successes\na,1e3,0", "`n` is `1e3`"),
            ("variant,n,successes\na,10", "line 2 cannot be read"),
            ("variant,n,successes\na,10,1\na,10,2", "line 3: the variant `a`"),
            ("variant,n,mean,sd\na,10,NaN,1", "`mean` is `NaN`"),
            ("variant,n,mean,sd\na,10,1,inf", "`sd` is `inf`"),
            ("variant,n,mean,sd\na,1,1,1", "at least two"),
            ("variant,n,mean,sd\na,10,1,-1", "not below 0"),
            ("variant,n,successes\na,99999999999999999,0", "2^53"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
        }
        assert!(read(&vec![b'a'; BYTES_MAX + 1]).unwrap_err().contains("at most"));
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = read(&[&b"variant,n,mean,sd\n"[..], &bytes].concat());
        }
    }
}
