//! Progress of a run: a bar on a terminal, log lines elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::NaiveDate;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use loyalake_jobs::Observer;
use loyalake_jobs::report::Outcome;
use loyalake_jobs::run::{Event, Step};

/// A bar over all relations of a run, with a line above it for each that is done.
pub(super) struct Bar {
    bar: ProgressBar,
    rows: AtomicUsize,
}

impl Bar {
    /// A bar that appears at once: opening sources can take a while, too.
    pub(super) fn new(as_of_date: NaiveDate) -> Self {
        let template = format!(
            "{as_of_date}  {{bar:24}} {{pos}}/{{len}}  {{prefix}}  {{msg}}  {{elapsed_precise}}"
        );
        let style = ProgressStyle::with_template(&template);
        let bar =
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix("opening sources");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            rows: AtomicUsize::new(0),
        }
    }
}

impl Observer for Bar {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Started {
                name,
                position,
                total,
            } => {
                self.rows.store(0, Ordering::Relaxed);
                self.bar.set_length(total as u64);
                self.bar.set_position(position as u64 - 1);
                self.bar.set_prefix(name.to_owned());
                self.bar.set_message("");
            }
            Event::Rows(rows) => {
                let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
                self.bar
                    .set_message(format!("{} rows", HumanCount(rows as u64)));
            }
            Event::Finished {
                name,
                rows,
                seconds,
            } => {
                let rows = HumanCount(rows as u64).to_string();
                self.bar
                    .println(format!("  {name:<32} {rows:>14} rows  {seconds:>7.1} s"));
                self.bar.inc(1);
                self.bar.set_prefix("audits");
                self.bar.set_message("");
            }
            Event::Reached(Step::Audited) => self.bar.set_prefix("publishing"),
            Event::Reached(_) => {}
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A log line for each relation that is done.
pub(super) struct Log;

impl Observer for Log {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Started {
                name,
                position,
                total,
            } => {
                tracing::debug!(relation = name, position, total, "started");
            }
            Event::Rows(rows) => tracing::trace!(rows, "rows"),
            Event::Finished {
                name,
                rows,
                seconds,
            } => {
                tracing::info!(relation = name, rows, seconds, "finished");
            }
            Event::Reached(step) => tracing::debug!(?step, "reached"),
        }
    }
}

/// The end of a date, for the log.
pub(super) fn log(outcome: &Outcome) {
    match outcome {
        Outcome::Published(report) => {
            for warning in &report.warnings {
                tracing::warn!("{warning}");
            }
            let rows: usize = report.tables.iter().map(|table| table.rows).sum();
            tracing::info!(
                as_of_date = %report.as_of_date,
                run_id = report.run_id,
                tables = report.tables.len(),
                rows,
                "published"
            );
        }
        Outcome::Skipped(skipped) => tracing::info!(
            as_of_date = %skipped.as_of_date,
            run_id = skipped.run_id,
            "skipped, {}",
            skipped.skipped
        ),
    }
}
