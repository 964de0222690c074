//! Comparing what was metered with what the engine's own counters say.
//!
//! The counters are one for all who use the engine and count requests that never ended, so a
//! difference is no proof; but a difference that grows on an engine of its own is a question to ask.

use std::{sync::Arc, time::Duration};

use super::{
    exposition::sum,
    kind::{EngineKind, Quantity},
};
use crate::App;

/// A counter's value, or a meter's, per [`Quantity::ALL`]; `None` where the engine does not count it.
pub(crate) type Reading = [Option<u64>; 3];

/// Reads an engine's exposition.
fn read(kind: EngineKind, text: &str) -> Reading {
    let mut reading = Reading::default();
    for (quantity, name) in kind.counters() {
        reading[*quantity as usize] = sum(text, name);
    }
    reading
}

/// One counter since the first look at it, across restarts of the engine.
#[derive(Clone, Copy, Debug)]
struct Counter {
    last: u64,
    /// What it rose by since the first look.
    risen: u64,
    /// What had been metered, and what it had risen by, when comparing began.
    counted_before: u64,
    risen_before: u64,
}

/// What the engine's counters rose by since the first look.
#[derive(Default)]
pub(crate) struct Risen([Option<Counter>; 3]);

/// What a look at the counters came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Look {
    /// The engine counts from zero again.
    restarted: bool,
    /// Per quantity: what the engine counted, and its excess over what was metered.
    rows: [Option<(u64, i64)>; 3],
}

impl Risen {
    /// Takes in a reading and what was metered until then. A counter that fell began anew with the engine: what
    /// it counted before it ended is not known, so comparing begins anew as well.
    fn update(&mut self, reading: Reading, counted: [u64; 3]) -> Look {
        let fell = |(counter, now): (&Option<Counter>, &Option<u64>)| {
            counter.zip(*now).is_some_and(|(counter, now)| now < counter.last)
        };
        let restarted = self.0.iter().zip(&reading).any(fell);
        let mut look = Look { restarted, ..Default::default() };
        for at in 0..reading.len() {
            let Some(now) = reading[at] else { continue };
            let counted = counted[at];
            let begun = Counter { last: now, risen: 0, counted_before: counted, risen_before: 0 };
            let counter = self.0[at].get_or_insert(begun);
            if restarted {
                counter.risen += now;
                (counter.counted_before, counter.risen_before) = (counted, counter.risen);
            } else {
                counter.risen += now - counter.last;
            }
            counter.last = now;
            let excess = (counter.risen - counter.risen_before) as i64;
            let excess = excess - (counted - counter.counted_before) as i64;
            look.rows[at] = Some((counter.risen, excess));
        }
        look
    }
}

/// Looks at the engine's counters again and again. Counters that cannot be read are only reported once.
pub(crate) async fn run(app: Arc<App>, every: Duration) {
    let mut risen = Risen::default();
    let mut was_up = true;
    loop {
        let is_up = look(&app, &mut risen).await;
        if was_up && !is_up {
            tracing::warn!("the engine's counters cannot be read: what is metered is not cross-checked");
        }
        was_up = is_up;
        tokio::time::sleep(every).await;
    }
}

async fn look(app: &App, risen: &mut Risen) -> bool {
    let metrics = &app.metrics;
    let text = app.engine.counters().await.unwrap_or_default();
    let reading = read(app.engine.kind(), &text);
    let is_up = reading.iter().any(Option::is_some);
    metrics.engine_up.set(is_up.into());
    let counted =
        Quantity::ALL.map(|quantity| metrics.counted_tokens.with_label_values(&[quantity.label()]).get());
    let look = risen.update(reading, counted);
    if look.restarted {
        tracing::warn!(
            "the engine's counters fell: it was restarted, and they are compared anew from here on"
        );
        metrics.engine_restarts.inc();
        app.engine.schedule.forget();
    }
    for (quantity, row) in Quantity::ALL.into_iter().zip(look.rows) {
        let Some((total, excess)) = row else { continue };
        metrics.engine_tokens.with_label_values(&[quantity.label()]).set(total as i64);
        metrics.engine_excess.with_label_values(&[quantity.label()]).set(excess);
    }
    is_up
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One counter, of generated tokens.
    fn reading(generation: u64) -> Reading {
        [None, Some(generation), None]
    }

    fn update(risen: &mut Risen, now: u64, counted: u64) -> (bool, u64, i64) {
        let look = risen.update(reading(now), [0, counted, 0]);
        assert_eq!((look.rows[0], look.rows[2]), (None, None));
        let (total, excess) = look.rows[1].unwrap_or_default();
        (look.restarted, total, excess)
    }

    #[test]
    fn what_was_before_the_first_look_does_not_count() {
        let mut risen = Risen::default();
        assert_eq!(update(&mut risen, 1_000, 10), (false, 0, 0));
        assert_eq!(update(&mut risen, 1_005, 15), (false, 5, 0));
        assert_eq!(update(&mut risen, 1_015, 15), (false, 15, 10));
    }

    #[test]
    fn a_restarted_engine_is_seen_and_compared_anew() {
        let mut risen = Risen::default();
        update(&mut risen, 100, 0);
        assert_eq!(update(&mut risen, 150, 50), (false, 50, 0));
        // It generated 30 that nobody saw, ended, and has generated 20 since; all 50 were metered.
        assert_eq!(update(&mut risen, 20, 100), (true, 70, 0));
        assert_eq!(update(&mut risen, 25, 105), (false, 75, 0));
        assert_eq!(update(&mut risen, 35, 105), (false, 85, 10));
    }

    #[test]
    fn one_counter_that_falls_begins_all_anew() {
        let mut risen = Risen::default();
        risen.update([Some(100), Some(10), None], [0; 3]);
        // More was asked since the restart than before it, but less was generated.
        let look = risen.update([Some(120), Some(5), None], [70, 9, 0]);
        assert_eq!(look, Look { restarted: true, rows: [Some((120, 0)), Some((5, 0)), None] });
    }

    #[test]
    fn counters_that_come_later_are_compared_from_then_on() {
        let mut risen = Risen::default();
        assert_eq!(risen.update([None; 3], [40, 40, 4]).rows, [None; 3]);
        let look = risen.update([Some(7), None, Some(1)], [50, 50, 5]);
        assert_eq!(look.rows, [Some((0, 0)), None, Some((0, 0))]);
    }

    #[test]
    fn the_counters_of_every_engine_are_read_by_their_names() {
        let read = |kind, text| read(kind, text);
        let tgi = include_str!("../../tests/recorded/tgi-metrics.txt");
        assert_eq!(read(EngineKind::Tgi, tgi), [Some(12), Some(20), Some(1)]);
        let triton = include_str!("../../tests/recorded/triton-metrics.txt");
        assert_eq!(read(EngineKind::Triton, triton), [Some(10), Some(16), Some(1)]);
        let llama = include_str!("../../tests/recorded/llama-cpp-metrics.txt");
        assert_eq!(read(EngineKind::LlamaCpp, llama), [Some(99), Some(1_779), None]);
        let vllm = include_str!("../../tests/recorded/vllm-metrics.txt");
        assert_eq!(read(EngineKind::Vllm, vllm), [Some(181), Some(151), Some(12)]);
        assert_eq!(read(EngineKind::OpenAi, vllm), [None; 3]);
        for (kind, text) in [
            (EngineKind::Tgi, tgi),
            (EngineKind::Triton, triton),
            (EngineKind::LlamaCpp, llama),
            (EngineKind::Vllm, vllm),
        ] {
            let traces = super::super::kind::Traces { metrics: Some(text.into()), ..Default::default() };
            assert_eq!(EngineKind::of(&traces), kind);
        }
    }
}
