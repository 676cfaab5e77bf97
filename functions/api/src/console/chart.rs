//! Messages by minute, with the rate that was asked for, as SVG. Colours are names of
//! roles: the stylesheet puts its own in their place, for light and for dark.

use plotters::prelude::*;
use telecast_core::campaigns::Minute;

/// In the stylesheet: `--sent`, `--limit`, `--line`.
const SENT: RGBColor = RGBColor(1, 1, 1);
const LIMIT: RGBColor = RGBColor(2, 2, 2);
const GRID: RGBColor = RGBColor(3, 3, 3);

/// The size, in the SVG's own units; pages stretch it.
const SIZE: (u32, u32) = (720, 170);

/// Draws the minutes from the first to the last, those without messages too; nothing
/// where there are none.
pub(super) fn messages_by_minute(
    minutes: &[Minute],
    rate: i32,
) -> Result<Option<String>, crate::ApiError> {
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return Ok(None);
    };
    let mut svg = String::new();
    draw(&mut svg, minutes, rate, (first, last))
        .map_err(|error| crate::ApiError::internal(&error))?;
    Ok(Some(svg))
}

fn draw(
    svg: &mut String,
    minutes: &[Minute],
    rate: i32,
    (first, last): (&Minute, &Minute),
) -> Result<(), Box<dyn std::error::Error>> {
    let width = (last.minute - first.minute).num_minutes().max(14) + 1;
    let tallest = minutes.iter().map(|minute| minute.sent).max().unwrap_or(0);
    let top = f64::from(tallest.max(rate)) * 1.15;
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(4)
        .x_label_area_size(20)
        .y_label_area_size(46)
        .build_cartesian_2d(0.0..width as f64, 0.0..top)?;
    let begins = first.minute;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .y_labels(4)
        .x_labels(8)
        .label_style(("sans-serif", 11))
        .x_label_formatter(&|minute| {
            let at = begins + chrono::TimeDelta::minutes(*minute as i64);
            at.format("%H:%M").to_string()
        })
        .y_label_formatter(&|count| format!("{count:.0}"))
        .draw()?;
    chart.draw_series(minutes.iter().map(|minute| {
        let at = (minute.minute - begins).num_minutes() as f64;
        let corners = [(at + 0.12, 0.0), (at + 0.88, f64::from(minute.sent))];
        Rectangle::new(corners, SENT.filled())
    }))?;
    let limit = [(0.0, f64::from(rate)), (width as f64, f64::from(rate))];
    chart.draw_series(std::iter::once(PathElement::new(
        limit,
        LIMIT.stroke_width(2),
    )))?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn each_minute_is_a_bar_and_the_limit_is_a_line_above_them() {
        let minute = |at, sent| Minute {
            minute: DateTime::UNIX_EPOCH + TimeDelta::minutes(at),
            sent,
        };
        let svg = messages_by_minute(&[minute(0, 50), minute(2, 60)], 60)
            .unwrap()
            .unwrap();
        assert_eq!(svg.matches("fill=\"#010101\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("stroke=\"#020202\"").count(), 1, "{svg}");
        assert!(!svg.contains("style="), "the policy forbids inline styles");
        assert_eq!(messages_by_minute(&[], 60).unwrap(), None);
    }
}
