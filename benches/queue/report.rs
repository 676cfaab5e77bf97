//! Tables, and the page they are kept on.

use std::{fmt::Write, fs, path::Path};

use anyhow::Result;

use crate::{contestant::TELECAST, trial::Outcome};

/// A trial's contestants.
pub struct Table {
    pub title: &'static str,
    /// Milliseconds rather than jobs per second.
    pub latency: bool,
    pub rows: Vec<Row>,
}

/// A contestant's rounds.
pub struct Row {
    name: &'static str,
    /// Jobs per second, or the median latency in ms: sorted.
    values: Vec<f64>,
    p99_ms: Option<f64>,
    peak_mb: Option<f64>,
}

impl Row {
    pub fn new(name: &'static str, outcomes: &[Outcome]) -> Self {
        let values = outcomes
            .iter()
            .map(|one| one.p50_ms.unwrap_or_else(|| one.rate()));
        Self {
            name,
            values: sorted(values),
            p99_ms: median(&sorted(outcomes.iter().filter_map(|one| one.p99_ms))),
            peak_mb: median(&sorted(outcomes.iter().filter_map(|one| one.peak_mb))),
        }
    }

    fn median(&self) -> f64 {
        median(&self.values).unwrap_or_default()
    }
}

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values; the upper one of two.
pub fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

impl Table {
    /// As Markdown. The last ratio says how many times better Telecast is.
    pub fn markdown(&self) -> String {
        let ours = self
            .rows
            .iter()
            .find(|row| row.name == TELECAST)
            .map(Row::median);
        let mut text = format!("### {}\n\n", self.title);
        text += match self.latency {
            true => {
                "| | p50, ms | lowest to highest | p99, ms | telecast is better by | peak MB |\n|---|---:|---:|---:|---:|---:|\n"
            }
            false => {
                "| | jobs/s | lowest to highest | telecast is faster by | peak MB |\n|---|---:|---:|---:|---:|\n"
            }
        };
        for row in &self.rows {
            let number = |value: f64| {
                if self.latency {
                    format!("{value:.1}")
                } else {
                    grouped(value)
                }
            };
            let (low, high) = (row.values.first(), row.values.last());
            let spread = format!(
                "{} to {}",
                number(low.copied().unwrap_or_default()),
                number(high.copied().unwrap_or_default())
            );
            let ratio = ours.map_or_else(String::new, |ours| {
                let ratio = if self.latency {
                    row.median() / ours
                } else {
                    ours / row.median()
                };
                format!("{ratio:.2}x")
            });
            let optional =
                |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
            let p99 = if self.latency {
                format!(" {} |", optional(row.p99_ms))
            } else {
                String::new()
            };
            text += &format!(
                "| {} | {} | {spread} |{p99} {ratio} | {} |\n",
                row.name,
                number(row.median()),
                optional(row.peak_mb)
            );
        }
        text
    }
}

/// 12345 as 12,345.
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Puts a section on the page, in the place of an earlier one of that heading.
pub fn keep(page: &Path, heading: &str, body: &str) -> Result<()> {
    let old = fs::read_to_string(page).unwrap_or_default();
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in old.lines() {
        if line.starts_with("## ") || parts.is_empty() {
            parts.push((line.to_owned(), String::new()));
        } else if let Some((_, text)) = parts.last_mut() {
            writeln!(text, "{line}")?;
        }
    }
    let heading = format!("## {heading}");
    let body = format!("\n{}\n\n", body.trim());
    match parts.iter_mut().find(|(known, _)| *known == heading) {
        Some((_, text)) => *text = body,
        None => parts.push((heading, body)),
    }
    let text: String = parts
        .into_iter()
        .map(|(heading, text)| format!("{heading}\n{text}"))
        .collect();
    Ok(fs::write(page, format!("{}\n", text.trim_end()))?)
}
