//! The figures as a picture.

use std::path::Path;

use anyhow::{anyhow, Result};
use plotters::prelude::*;

use super::{Measured, PROMISE_MS};

/// Height of a question's bars.
const ROW: u32 = 22;

/// Milliseconds where the axis begins.
const LEAST_MS: f64 = 0.1;

const COLOURS: [RGBColor; 2] = [RGBColor(31, 119, 180), RGBColor(214, 122, 30)];

/// Draws the 99th percentile of every question as a bar per database, with a mark at the median.
pub(super) fn bars(path: &Path, all: &[Measured], receipts: u64) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| anyhow!("the plot could not be drawn: {error}");
    let Some(first) = all.first() else { return Ok(()) };
    let rows = first.figures.len();
    let most = all.iter().flat_map(|side| side.figures.iter().map(|row| row.quantile_ms(0.99)));
    let top = most.fold(PROMISE_MS, f64::max) * 2.0;
    let area = SVGBackend::new(path, (960, 130 + ROW * rows as u32)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let caption = format!("{receipts} receipts: time to the whole answer, 99th percentile");
    let mut chart = ChartBuilder::on(&area)
        .caption(caption, ("sans-serif", 18))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(330)
        .build_cartesian_2d((LEAST_MS..top).log_scale(), 0.0..rows as f64)
        .map_err(|error| failed(&error))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_desc("ms (logarithmic); white mark: median; red line: what is promised")
        .x_label_formatter(&|value| format!("{value}"))
        .draw()
        .map_err(|error| failed(&error))?;
    let width = 0.8 / all.len() as f64;
    for (turn, side) in all.iter().enumerate() {
        let colour = COLOURS[turn % COLOURS.len()];
        let bar = |at: usize, from: f64, to: f64, style: ShapeStyle| {
            let low = (rows - at - 1) as f64 + 0.1 + width * (all.len() - turn - 1) as f64;
            Rectangle::new([(from, low), (to, low + width)], style)
        };
        let drawn = side
            .figures
            .iter()
            .enumerate()
            .map(|(at, row)| bar(at, LEAST_MS, row.quantile_ms(0.99).max(LEAST_MS), colour.filled()));
        let series = chart.draw_series(drawn).map_err(|error| failed(&error))?;
        series
            .label(side.database.name())
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        let marks = side.figures.iter().enumerate().map(|(at, row)| {
            let median = row.quantile_ms(0.5).max(LEAST_MS);
            bar(at, median * 0.985, median * 1.015, WHITE.filled())
        });
        chart.draw_series(marks).map_err(|error| failed(&error))?;
    }
    let promise = [(PROMISE_MS, 0.0), (PROMISE_MS, rows as f64)];
    chart.draw_series(LineSeries::new(promise, RED.stroke_width(2))).map_err(|error| failed(&error))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .draw()
        .map_err(|error| failed(&error))?;
    // The names stand left of the axis.
    for (at, row) in first.figures.iter().enumerate() {
        let middle = chart.backend_coord(&(LEAST_MS, (rows - at - 1) as f64 + 0.5));
        let style = ("sans-serif", 12).into_font().color(&BLACK);
        let style = style.pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Right,
            plotters::style::text_anchor::VPos::Center,
        ));
        let name = Text::new(row.name.clone(), (middle.0 - 6, middle.1), style);
        area.draw(&name).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}
