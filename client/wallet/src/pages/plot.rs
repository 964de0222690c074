//! Plots: SVG made here, each with a table that says the same.

use std::collections::BTreeMap;

use maud::{html, Markup};

use super::words::date;

/// Size of the drawing, in units of its own.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 180;
const LEFT: u64 = 8;
const BOTTOM: u64 = 22;

/// Series that have a colour; the others are summed up as the last.
const SERIES: usize = 6;

/// Amounts per day and series.
pub struct Plot<'p> {
    /// What is shown.
    pub title: &'p str,
    /// First and last day.
    pub days: (u64, u64),
    /// Amounts by series and day.
    pub series: BTreeMap<String, BTreeMap<u64, u128>>,
    /// An amount in words.
    pub words: fn(u128) -> String,
}

impl Plot<'_> {
    /// Stacked bars, a legend and the table.
    pub fn draw(mut self) -> Markup {
        self.fold_small();
        let (first, last) = self.days;
        let days: Vec<u64> = (first..=last).collect();
        let sum = |day: &u64| self.series.values().filter_map(|days| days.get(day)).sum::<u128>();
        let most = days.iter().map(sum).max().unwrap_or_default();
        let id = format!("plot-{}", self.title.to_lowercase().replace(' ', "-"));
        html! {
            figure.plot {
                figcaption id=(id) { (self.title) }
                @if most == 0 {
                    p.empty { "Nothing in these days." }
                } @else {
                    svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-labelledby=(id) {
                        (self.bars(&days, most))
                        line.axis x1=(LEFT) y1=(HEIGHT - BOTTOM) x2=(WIDTH) y2=(HEIGHT - BOTTOM) {}
                        text x=(LEFT) y=(HEIGHT - 6) { (date(first)) }
                        text x=(WIDTH) y=(HEIGHT - 6) text-anchor="end" { (date(last)) }
                        text x=(LEFT) y="12" { "up to " ((self.words)(most)) " a day" }
                    }
                    ul.legend {
                        @for (at, name) in self.series.keys().enumerate() {
                            li { span class=(format!("swatch s{at}")) {} (name) }
                        }
                    }
                    (self.table(&days))
                }
            }
        }
    }

    fn fold_small(&mut self) {
        if self.series.len() <= SERIES {
            return;
        }
        let mut by_size: Vec<(u128, String)> =
            self.series.iter().map(|(name, days)| (days.values().sum(), name.clone())).collect();
        by_size.sort();
        let mut others: BTreeMap<u64, u128> = BTreeMap::new();
        for (_, name) in by_size.iter().take(self.series.len() - (SERIES - 1)) {
            for (day, amount) in self.series.remove(name).unwrap_or_default() {
                *others.entry(day).or_default() += amount;
            }
        }
        self.series.insert("others".into(), others);
    }

    fn bars(&self, days: &[u64], most: u128) -> Markup {
        let (room, height) = (WIDTH - LEFT, HEIGHT - BOTTOM - 20);
        let step = room as f64 / days.len().max(1) as f64;
        let units = |amount: u128| amount as f64 / most as f64 * height as f64;
        let wide = (step * 0.8).min(48.0);
        html! {
            @for (place, day) in days.iter().enumerate() {
                @let mut base = (HEIGHT - BOTTOM) as f64;
                @for (at, (name, series)) in self.series.iter().enumerate() {
                    @if let Some(amount) = series.get(day).filter(|amount| **amount > 0) {
                        @let tall = units(*amount).max(1.0);
                        @let () = base -= tall;
                        rect class=(format!("s{at}")) x=(format!("{:.1}", LEFT as f64 + step * place as f64 + (step - wide) / 2.0))
                            y=(format!("{base:.1}")) width=(format!("{wide:.1}")) height=(format!("{tall:.1}")) {
                            title { (date(*day)) ": " (name) " " ((self.words)(*amount)) }
                        }
                    }
                }
            }
        }
    }

    fn table(&self, days: &[u64]) -> Markup {
        html! {
            details {
                summary { "As a table" }
                div.scroll tabindex="0" role="region" aria-label=(self.title) {
                    table {
                        caption.hidden { (self.title) }
                        thead { tr {
                            th scope="col" { "Day" }
                            @for name in self.series.keys() { th.number scope="col" { (name) } }
                        } }
                        tbody {
                            @for day in days.iter().rev() {
                                @if self.series.values().any(|series| series.contains_key(day)) {
                                    tr {
                                        th scope="row" { (date(*day)) }
                                        @for series in self.series.values() {
                                            td.number { ((self.words)(series.get(day).copied().unwrap_or_default())) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
