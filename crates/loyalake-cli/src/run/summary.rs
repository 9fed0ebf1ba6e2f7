//! What a person wants to see at the end of a run.

use std::fmt::Write;
use std::time::Duration;

use datafusion::arrow::error::ArrowError;
use indicatif::{HumanBytes, HumanCount};
use loyalake_jobs::RunReport;
use loyalake_jobs::report::Skipped;

use crate::text_table::TextTable;

/// A date of a range, in one line.
pub(super) fn line(report: &RunReport, elapsed: Duration) -> String {
    let rows: usize = report.tables.iter().map(|table| table.rows).sum();
    let mut text = format!(
        "{}  published {} tables, {} rows, in {}  run {}",
        report.as_of_date,
        report.tables.len(),
        count(rows),
        seconds(elapsed),
        report.run_id
    );
    if !report.warnings.is_empty() {
        let _ = write!(text, "  warnings {}", report.warnings.len());
    }
    text.push('\n');
    text
}

/// A date of a range that needed no run, in one line.
pub(super) fn skipped(skipped: &Skipped) -> String {
    let Skipped {
        as_of_date,
        run_id,
        skipped,
        ..
    } = skipped;
    format!("{as_of_date}  skipped, {skipped}  run {run_id}\n")
}

/// Inputs, tables, results and warnings.
pub(super) fn whole(
    report: &RunReport,
    elapsed: Duration,
    width: Option<usize>,
) -> Result<String, ArrowError> {
    let mut inputs = TextTable::new(&["input", "files#", "size#", "rows#"]);
    for input in &report.inputs {
        let size = HumanBytes(input.bytes).to_string();
        inputs.row([&input.name, &count(input.files), &size, &count(input.rows)]);
    }
    let mut tables = TextTable::new(&["published", "rows#", "version#"]);
    for table in &report.tables {
        tables.row([&table.name, &count(table.rows), &table.version.to_string()]);
    }
    let mut text = format!("\n{}\n\n{}\n", inputs.render(width), tables.render(width));
    for summary in &report.summaries {
        let Some(first) = summary.batches.first() else {
            continue;
        };
        let table = TextTable::from_batches(&first.schema(), &summary.batches)?;
        if !table.is_empty() {
            let _ = writeln!(text, "{}\n\n{}", summary.title, table.render(width));
        }
    }
    for warning in &report.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    if !report.warnings.is_empty() {
        text.push('\n');
    }
    text.push_str(&line(report, elapsed));
    text.push_str(&taken(report));
    Ok(text)
}

/// What a run took, in one line.
fn taken(report: &RunReport) -> String {
    let bytes = |bytes: u64| HumanBytes(bytes).to_string();
    let inputs = report.inputs.iter().map(|input| input.bytes_read).sum();
    let mut text = format!("inputs read {}", bytes(inputs));
    if let Some(peak) = report.resources.peak_memory {
        let _ = write!(text, "  peak memory {}", bytes(peak));
    }
    let _ = writeln!(
        text,
        "  spilled {}",
        bytes(report.resources.spill.bytes as u64)
    );
    text
}

fn count(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

fn seconds(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
