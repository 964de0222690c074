//! The figures as a picture.

use std::path::Path;

use anyhow::{anyhow, Result};
use plotters::prelude::*;
use stipend_detectors::Rule;

use crate::measure::Measured;

const PRECISION: RGBColor = RGBColor(31, 119, 180);
const RECALL: RGBColor = RGBColor(255, 127, 14);

/// Draws precision and recall of every rule, and the targets as lines.
pub fn bars(path: &Path, set: &str, measured: &Measured) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| anyhow!("the plot could not be drawn: {error}");
    let area = SVGBackend::new(path, (960, 420)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let count = Rule::ALL.len() as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("Precision and recall of the detectors, {set} set"), ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..count, -0.08..1.12f64)
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .x_desc("left bar precision (line at 0.95), right bar recall up to level 2 (line at 0.90)")
        .y_label_formatter(&|value| format!("{value:.1}"))
        .draw()
        .map_err(|error| failed(&error))?;
    for (at, (rule, score)) in Rule::ALL.iter().zip(&measured.scores).enumerate() {
        let at = at as f64;
        for (from, share, colour) in [(0.14, score.precision(), PRECISION), (0.52, score.recall(), RECALL)] {
            let bar = Rectangle::new([(at + from, 0.0), (at + from + 0.34, share)], colour.filled());
            let label =
                Text::new(format!("{share:.2}"), (at + from + 0.02, share + 0.06), ("sans-serif", 13));
            chart.draw_series([bar]).map_err(|error| failed(&error))?;
            chart.draw_series([label]).map_err(|error| failed(&error))?;
        }
        let name = Text::new(rule.name(), (at + 0.14, -0.02), ("sans-serif", 15));
        chart.draw_series([name]).map_err(|error| failed(&error))?;
    }
    for (height, colour) in [(0.95, PRECISION), (0.9, RECALL)] {
        let line = PathElement::new(vec![(0.0, height), (count, height)], colour.stroke_width(1));
        chart.draw_series([line]).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}
