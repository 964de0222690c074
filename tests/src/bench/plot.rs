//! The figures as a picture.

use std::path::Path;

use anyhow::{anyhow, Result};
use plotters::prelude::*;

use super::Measured;

/// Draws the rates of all rounds side by side on a logarithmic axis: they lie two orders apart.
pub(super) fn bars(path: &Path, rounds: &[(Measured, Measured)]) -> Result<()> {
    let area = SVGBackend::new(path, (720, 420)).into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| anyhow!("the plot could not be drawn: {error}");
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let top = rounds.iter().map(|round| round.0.rate()).fold(1_000.0, f64::max) * 2.0;
    let mut chart = ChartBuilder::on(&area)
        .caption("Finalised receipts per second, one validator", ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..rounds.len() as f64, (100.0..top).log_scale())
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(rounds.len() + 1)
        .x_label_formatter(&|_| String::new())
        .x_desc("rounds: left bar in batches, right bar one receipt per extrinsic")
        .y_desc("receipts/s (logarithmic)")
        .y_label_formatter(&|value| format!("{value:.0}"))
        .draw()
        .map_err(|error| failed(&error))?;
    for (at, (batched, single)) in rounds.iter().enumerate() {
        let at = at as f64;
        for (from, to, rate, colour) in [
            (0.15, 0.48, batched.rate(), RGBColor(31, 119, 180)),
            (0.52, 0.85, single.rate(), RGBColor(255, 127, 14)),
        ] {
            let bar = Rectangle::new([(at + from, 100.0), (at + to, rate.max(100.0))], colour.filled());
            let label = Text::new(format!("{rate:.0}"), (at + from, rate * 1.25), ("sans-serif", 14));
            chart.draw_series([bar]).map_err(|error| failed(&error))?;
            chart.draw_series([label]).map_err(|error| failed(&error))?;
        }
    }
    area.present().map_err(|error| failed(&error))
}
