//! The figures as a picture.

use std::path::Path;

use anyhow::{anyhow, Result};
use plotters::prelude::*;

use super::{
    options::Phase,
    report::{Report, OURS},
};

/// Requests per second where the bars begin, and below them the height of the sides' names and the picture's end.
const BARS: f64 = 10.0;
const NAMES: f64 = 7.5;
const BELOW: f64 = 4.0;

/// Draws what a core of each side bears, whole answers and streams, on a logarithmic axis.
pub(super) fn bars(path: &Path, report: &Report) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| anyhow!("the plot could not be drawn: {error}");
    let measured: Vec<_> = report.sides.iter().filter(|side| side.process.is_some()).collect();
    let per_core = |side: &str, phase| {
        report
            .median(side, phase, |sample| 1e6 / sample.cpu_us)
            .filter(|rate| rate.is_finite() && *rate >= 1.0)
    };
    let rates = measured
        .iter()
        .flat_map(|side| [Phase::Saturated, Phase::Streams].map(|phase| per_core(side.name, phase)));
    let top = rates.flatten().fold(1_000.0, f64::max) * 2.0;
    let area = SVGBackend::new(path, (960, 420)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Requests per second and core of the gateway", ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..measured.len().max(1) as f64, (BELOW..top).log_scale())
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .x_desc("left bar whole answers, right bar streams")
        .y_desc("requests/s and core (logarithmic)")
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()
        .map_err(|error| failed(&error))?;
    for (at, side) in measured.iter().enumerate() {
        let at = at as f64;
        let colour = if side.name == OURS { RGBColor(31, 119, 180) } else { RGBColor(140, 140, 140) };
        for (from, to, phase) in [(0.12, 0.48, Phase::Saturated), (0.52, 0.88, Phase::Streams)] {
            let Some(rate) = per_core(side.name, phase) else { continue };
            let bar = Rectangle::new([(at + from, BARS), (at + to, rate)], colour.filled());
            let label = Text::new(format!("{rate:.0}"), (at + from, rate * 1.3), ("sans-serif", 13));
            chart.draw_series([bar]).map_err(|error| failed(&error))?;
            chart.draw_series([label]).map_err(|error| failed(&error))?;
        }
        let name = Text::new(side.name, (at + 0.12, NAMES), ("sans-serif", 15).into_font().color(&BLACK));
        chart.draw_series([name]).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}
