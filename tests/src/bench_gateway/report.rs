//! The tables of the benchmark.

use super::{measure::Sample, options::Phase, side::Side};
use crate::figures::{median, table};

/// The side that others are held against.
pub(super) const OURS: &str = "ours";

/// Another build of it, where one was named.
pub(super) const BEFORE: &str = "before";

/// The stand-in upstream without anything before it.
pub(super) const DIRECT: &str = "direct";

/// All samples, and what is read off them.
pub(super) struct Report<'a> {
    pub sides: &'a [Side],
    pub samples: &'a [Sample],
    /// Bytes of memory of each side before any load.
    pub rss_before: &'a [u64],
    /// Of the closed loop.
    pub connections: usize,
}

impl Report<'_> {
    /// The median over the rounds of what a sample shows; `None` where there is no sample.
    pub fn median(&self, side: &str, phase: Phase, value: impl Fn(&Sample) -> f64) -> Option<f64> {
        let mut values = self.of(side, phase).map(value).peekable();
        values.peek().is_some().then(|| median(values))
    }

    /// The median over the rounds of a figure of `side` and `other` in the same round.
    fn against(
        &self,
        side: &str,
        other: &str,
        phase: Phase,
        value: impl Fn(&Sample, &Sample) -> f64,
    ) -> Option<f64> {
        let same_round = |sample: &Sample| self.of(other, phase).find(|other| other.round == sample.round);
        let mut values =
            self.of(side, phase).filter_map(|sample| Some(value(sample, same_round(sample)?))).peekable();
        values.peek().is_some().then(|| median(values))
    }

    fn of<'s>(&'s self, side: &'s str, phase: Phase) -> impl Iterator<Item = &'s Sample> {
        self.samples.iter().filter(move |sample| sample.side == side && sample.phase == phase)
    }

    /// Whether something was measured.
    pub fn has(&self, phase: Phase) -> bool {
        self.samples.iter().any(|sample| sample.phase == phase)
    }

    /// Prints all tables.
    pub fn print(&self) {
        self.print_throughput(Phase::Saturated, "Whole answers");
        self.print_added();
        self.print_throughput(Phase::Streams, "Streams of 17 writes");
        self.print_streams();
        self.print_memory();
        self.print_faults();
    }

    fn print_throughput(&self, phase: Phase, title: &str) {
        if !self.has(phase) {
            return;
        }
        println!("\n{title}, {} connections", self.connections);
        let mut rows = table(&[
            "side",
            "per s",
            "core busy",
            "CPU µs each",
            "per s and core",
            "per core ours ÷ it",
            "p50 µs",
            "p99 µs",
        ]);
        for side in self.sides {
            let figure = |value: fn(&Sample) -> f64| self.median(side.name, phase, value);
            let is_direct = side.process.is_none();
            let cpu = if is_direct { None } else { figure(|sample| sample.cpu_us) };
            // What a core bears is the inverse of what one takes: ours over theirs is theirs taken over ours taken.
            let ratio = self
                .against(side.name, OURS, phase, |it, ours| it.cpu_us / ours.cpu_us)
                .filter(|_| !is_direct);
            rows.add_row([
                side.name.to_owned(),
                whole(figure(|sample| sample.rate)),
                share(figure(|sample| sample.busy).filter(|_| !is_direct)),
                one_digit(cpu),
                whole(cpu.map(|cpu| 1e6 / cpu)),
                two_digits(ratio),
                whole(figure(|sample| sample.p50_us)),
                whole(figure(|sample| sample.p99_us)),
            ]);
        }
        println!("{rows}");
        let of_direct = |value: fn(&Sample) -> f64| self.median(DIRECT, phase, value).unwrap_or_default();
        let (mock, load) = (of_direct(|sample| sample.mock_cpu_us), of_direct(|sample| sample.load_cpu_us));
        println!(
            "Of a core the stand-in upstream takes {mock:.1} µs for each and would bear {:.0} a second; the load takes {load:.1} µs.",
            1e6 / mock.max(0.1)
        );
    }

    fn print_added(&self) {
        if !self.has(Phase::Lone) && !self.has(Phase::Paced) {
            return;
        }
        println!("\nLatency added to the upstream's own (direct: the latency itself), µs");
        let mut rows =
            table(&["side", "lone p50", "p99", "open loop per s", "p50", "p99", "p99.9", "p99 ours ÷ it"]);
        for side in self.sides {
            let lone = |value: fn(&Sample) -> f64| self.added(side.name, Phase::Lone, value);
            let paced = |value: fn(&Sample) -> f64| self.added(side.name, Phase::Paced, value);
            let p99 = paced(|sample| sample.p99_us);
            let ours = self.added(OURS, Phase::Paced, |sample| sample.p99_us);
            // On a busy machine noise can outweigh what a side adds: then there is no ratio.
            let is_added =
                side.process.is_some() && p99.zip(ours).is_some_and(|(it, ours)| it > 0.0 && ours > 0.0);
            let ratio = p99.zip(ours).map(|(it, ours)| ours / it).filter(|_| is_added);
            rows.add_row([
                side.name.to_owned(),
                whole(lone(|sample| sample.p50_us)),
                whole(lone(|sample| sample.p99_us)),
                whole(self.median(side.name, Phase::Paced, |sample| sample.rate)),
                whole(paced(|sample| sample.p50_us)),
                whole(p99),
                whole(paced(|sample| sample.p999_us)),
                two_digits(ratio),
            ]);
        }
        println!("{rows}");
    }

    fn print_streams(&self) {
        if !self.has(Phase::LoneStream) {
            return;
        }
        println!(
            "\nOne stream at a time: latency added to the upstream's own (direct: the latency itself), µs"
        );
        let mut rows = table(&["side", "first byte p50", "p99", "last byte p50", "p99"]);
        for side in self.sides {
            let added = |value: fn(&Sample) -> f64| whole(self.added(side.name, Phase::LoneStream, value));
            rows.add_row([
                side.name.to_owned(),
                added(|sample| sample.first_p50_us),
                added(|sample| sample.first_p99_us),
                added(|sample| sample.p50_us),
                added(|sample| sample.p99_us),
            ]);
        }
        println!("{rows}");
    }

    /// What a side adds to a latency in the same round; of the upstream the latency itself.
    pub fn added(&self, side: &str, phase: Phase, value: fn(&Sample) -> f64) -> Option<f64> {
        match side {
            DIRECT => self.median(side, phase, value),
            _ => self.against(side, DIRECT, phase, |it, direct| value(it) - value(direct)),
        }
    }

    fn print_memory(&self) {
        println!("\nMemory, MB, and what each side does");
        let mut rows = table(&["side", "before", "after", "does"]);
        for (side, before) in self.sides.iter().zip(self.rss_before) {
            if side.process.is_some() {
                let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
                rows.add_row([
                    side.name.to_owned(),
                    megabytes(*before),
                    megabytes(side.usage().rss_bytes),
                    side.does.to_owned(),
                ]);
            }
        }
        println!("{rows}");
        if let Some(chain) = self.median(OURS, Phase::Saturated, |sample| sample.chain_busy) {
            println!("The chain used {:.0} % of a core while ours was saturated.", chain * 100.0);
        }
    }

    fn print_faults(&self) {
        for sample in self.samples.iter().filter(|sample| sample.faults > 0) {
            println!(
                "FAULTS: {} in round {} ({}): {} requests; the first: {}",
                sample.side,
                sample.round,
                sample.phase.name(),
                sample.faults,
                sample.fault.as_deref().unwrap_or_default()
            );
        }
    }
}

const NONE: &str = "-";

fn shown(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.filter(|value| value.is_finite()).map_or(NONE.into(), show)
}

fn whole(value: Option<f64>) -> String {
    shown(value, |value| format!("{value:.0}"))
}

fn one_digit(value: Option<f64>) -> String {
    shown(value, |value| format!("{value:.1}"))
}

fn two_digits(value: Option<f64>) -> String {
    shown(value, |value| format!("{value:.2}"))
}

fn share(value: Option<f64>) -> String {
    shown(value, |value| format!("{:.0} %", value * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(side: &'static str, round: u32, cpu_us: f64) -> Sample {
        Sample {
            side,
            phase: Phase::Saturated,
            round,
            rate: 0.0,
            faults: 0,
            fault: None,
            cpu_us,
            mock_cpu_us: 0.0,
            load_cpu_us: 0.0,
            busy: 0.0,
            chain_busy: 0.0,
            first_p50_us: 0.0,
            first_p99_us: 0.0,
            p50_us: cpu_us,
            p99_us: 0.0,
            p999_us: 0.0,
            rss_bytes: 0,
        }
    }

    #[test]
    fn ratios_and_added_latencies_are_taken_within_a_round() {
        // The machine was slow in the second round, and the last one has no counterpart.
        let samples = [
            sample(OURS, 1, 10.0),
            sample(DIRECT, 1, 5.0),
            sample(OURS, 2, 100.0),
            sample(DIRECT, 2, 50.0),
            sample(OURS, 3, 12.0),
            sample(DIRECT, 3, 6.0),
            sample(OURS, 4, 1_000.0),
        ];
        let report = Report { sides: &[], samples: &samples, rss_before: &[], connections: 1 };
        let ratio = |ours: &Sample, direct: &Sample| ours.cpu_us / direct.cpu_us;
        assert_eq!(report.against(OURS, DIRECT, Phase::Saturated, ratio), Some(2.0));
        assert_eq!(report.added(OURS, Phase::Saturated, |sample| sample.p50_us), Some(6.0));
        assert_eq!(report.added(DIRECT, Phase::Saturated, |sample| sample.p50_us), Some(6.0));
        assert_eq!(report.added(OURS, Phase::Lone, |sample| sample.p50_us), None);
    }
}
