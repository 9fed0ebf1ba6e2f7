//! `loyalake run`: computes the tables of one date or several, and says what became of them.

mod progress;
mod summary;

use std::fs::OpenOptions;
use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::{NaiveDate, Utc};
use clap::Args;
use loyalake_jobs::report::{Mode, Outcome};
use loyalake_jobs::run::run_unless_published;
use loyalake_jobs::{Config, JobsError, Ledger, Observer, Project, RunOptions};

use crate::cluster::with_engine;
use crate::dates::{AsOf, Every};
use crate::failure::{Failure, Result};
use crate::text_table::{TextTable, terminal_width};
use progress::{Bar, Log};

/// Compute the tables of a date, audit them, and publish them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake run                                   yesterday, in the configured time zone
  loyalake run --as-of 2026-11-21
  loyalake run --as-of 2026-01-31..2026-06-30 --every month
  loyalake run --as-of 2026-11-21 --select customer_ltv+ --dry-run

The same date can be run any number of times: a run replaces what an earlier one published
for its date. A failed run leaves the lake as it was. A range skips dates that are published
already from the same inputs, parameters, SQL and program, and stops at the first that fails.")]
pub(crate) struct RunArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// The date that the tables describe, inclusive, or a range A..B
    /// [default: yesterday in the time zone]
    #[arg(long, value_name = "DATE")]
    as_of: Option<AsOf>,

    /// The steps of a range [default: day]
    #[arg(long, value_enum, requires = "as_of")]
    every: Option<Every>,

    /// Only these tables: `name`, `+name` with all that it reads, `name+` with all that reads it
    #[arg(long, value_name = "TABLE", num_args = 1..)]
    select: Vec<String>,

    /// Say what would be computed, and how, without doing it
    #[arg(long)]
    dry_run: bool,

    /// Do all dates of a range, also those that are published already and would be the same
    #[arg(long)]
    full_refresh: bool,

    /// Write a JSON report to a file; `-` is stdout. A range gives an array
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(crate) async fn run(args: &RunArgs, has_log: bool) -> Result<()> {
    let project = with_engine(Project::open(Config::read(&args.config)?)?)?;
    let dates = dates(args, &project, has_log)?;
    if args.dry_run {
        return dry_run(args, &project, &dates).await;
    }
    if let Some(path) = args.report.as_deref().filter(|path| !is_stdout(path)) {
        // a night's work is not to end at a file that can't be written
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|source| Failure::Write {
            path: path.to_owned(),
            source,
        })?;
    }
    warn_of_unfinished(&project, &dates, has_log)?;
    let ledger = match args.as_of {
        Some(AsOf::Range(..)) if !args.full_refresh => Ledger::of(&project).await?,
        _ => None,
    };
    let mut outcomes = Vec::new();
    for (index, as_of_date) in dates.iter().enumerate() {
        let started = Instant::now();
        let done = one(args, &project, ledger.as_ref(), *as_of_date, has_log).await;
        let outcome = done.map_err(|source| stopped(args, &dates[index..], source))?;
        if has_log {
            progress::log(&outcome);
        }
        let text = match &outcome {
            Outcome::Published(report) if index + 1 == dates.len() => {
                summary::whole(report, started.elapsed(), terminal_width())?
            }
            Outcome::Published(report) => summary::line(report, started.elapsed()),
            Outcome::Skipped(skipped) => summary::skipped(skipped),
        };
        outcomes.push(outcome);
        write_report(args, &outcomes)?;
        match &args.report {
            Some(path) if is_stdout(path) => stderr().write_all(text.as_bytes())?,
            _ => stdout().write_all(text.as_bytes())?,
        }
    }
    if args.report.as_deref().is_some_and(is_stdout) {
        writeln!(stdout(), "{}", json(args, &outcomes))?;
    }
    Ok(())
}

/// Runs a date, unless the ledger says that this changes nothing.
async fn one(
    args: &RunArgs,
    project: &Project,
    ledger: Option<&Ledger>,
    as_of_date: NaiveDate,
    has_log: bool,
) -> Result<Outcome, JobsError> {
    let select = args.select.clone();
    let options = RunOptions { as_of_date, select };
    let observer: Arc<dyn Observer> = if has_log {
        Arc::new(Log)
    } else {
        Arc::new(Bar::new(as_of_date))
    };
    if let Some(ledger) = ledger {
        return run_unless_published(project, &options, ledger, observer).await;
    }
    let report = loyalake_jobs::run(project, &options, observer).await?;
    Ok(Outcome::Published(Box::new(report)))
}

/// The dates to run, in order.
fn dates(args: &RunArgs, project: &Project, has_log: bool) -> Result<Vec<NaiveDate>> {
    match (args.as_of, args.every) {
        (Some(AsOf::Range(first, last)), every) => {
            Ok(every.unwrap_or(Every::Day).dates(first, last))
        }
        (_, Some(_)) => Err(Failure::EveryWithoutRange),
        (Some(AsOf::Date(date)), None) => Ok(vec![date]),
        (None, None) => {
            let zone = project.time_zone()?;
            let date = yesterday(project)?;
            if has_log {
                tracing::info!(as_of_date = %date, time_zone = zone.name(), "yesterday");
            } else {
                writeln!(stderr(), "as of {date}, yesterday in {}", zone.name())?;
            }
            Ok(vec![date])
        }
    }
}

/// The last date that is over, where the business is.
pub(crate) fn yesterday(project: &Project) -> Result<NaiveDate> {
    let today = Utc::now().with_timezone(&project.time_zone()?).date_naive();
    Ok(today.pred_opt().unwrap_or(today))
}

/// Tables of a day that goes on, or has not begun, will be others when it is over.
fn warn_of_unfinished(project: &Project, dates: &[NaiveDate], has_log: bool) -> Result<()> {
    let last = yesterday(project)?;
    let unfinished: Vec<&NaiveDate> = dates.iter().filter(|date| **date > last).collect();
    let Some(first) = unfinished.first() else {
        return Ok(());
    };
    let zone = project.time_zone()?;
    let others = match unfinished.len() - 1 {
        0 => "is".to_owned(),
        others => format!("and {others} later dates of the range are"),
    };
    let warning = format!(
        "{first} {others} not over in {}: the tables hold what is known so far; run again later",
        zone.name()
    );
    if has_log {
        tracing::warn!("{warning}");
    } else {
        writeln!(stderr(), "warning: {warning}")?;
    }
    Ok(())
}

async fn dry_run(args: &RunArgs, project: &Project, dates: &[NaiveDate]) -> Result<()> {
    let mut out = stdout().lock();
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return Ok(());
    };
    let options = RunOptions {
        as_of_date: *first,
        select: args.select.clone(),
    };
    let mut table = TextTable::new(&["relation", "computed"]);
    for (name, mode) in loyalake_jobs::run::dry_run(project, &options).await? {
        let how = match mode {
            Mode::View => "inside the query of its only reader",
            Mode::Scratch => "once, into scratch files, for several readers",
            Mode::Table => "into a table, to be published",
        };
        table.row([&name, how]);
    }
    if dates.len() > 1 {
        writeln!(
            out,
            "{} dates, {first} to {last}; for each of them{}:\n",
            dates.len(),
            if args.full_refresh {
                ""
            } else {
                " that is not published already or would change"
            }
        )?;
    } else {
        writeln!(out, "as of {first}:\n")?;
    }
    out.write_all(table.render(terminal_width()).as_bytes())?;
    writeln!(out, "\nnothing was computed or published (--dry-run)")?;
    Ok(())
}

/// The failure of a date; in a range, with the command that goes on.
fn stopped(args: &RunArgs, remaining: &[NaiveDate], source: JobsError) -> Failure {
    let (Some(AsOf::Range(first, last)), Some(date)) = (args.as_of, remaining.first().copied())
    else {
        return source.into();
    };
    let every = args.every.unwrap_or(Every::Day);
    let start = every.restart(first, last, remaining);
    let mut resume = vec![format!(
        "loyalake run --config {} --as-of {start}..{last} --every {}",
        args.config.display(),
        every.name()
    )];
    if !args.select.is_empty() {
        resume.push(format!("--select {}", args.select.join(" ")));
    }
    if args.full_refresh {
        resume.push("--full-refresh".to_owned());
    }
    if let Some(report) = &args.report {
        resume.push(format!("--report {}", report.display()));
    }
    let resume = resume.join(" ");
    Failure::Stopped {
        date,
        resume,
        source,
    }
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// What is done so far, so that a range that stops leaves the reports of the dates before.
fn write_report(args: &RunArgs, outcomes: &[Outcome]) -> Result<()> {
    let Some(path) = args.report.as_deref().filter(|path| !is_stdout(path)) else {
        return Ok(());
    };
    let text = json(args, outcomes) + "\n";
    std::fs::write(path, text).map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })
}

fn json(args: &RunArgs, outcomes: &[Outcome]) -> String {
    let text = match (args.as_of, outcomes) {
        (None | Some(AsOf::Date(_)), [outcome]) => serde_json::to_string_pretty(outcome),
        _ => serde_json::to_string_pretty(outcomes),
    };
    // a report is made of texts, numbers and dates, all of which JSON can say
    text.unwrap_or_default()
}
