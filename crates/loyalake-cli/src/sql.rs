//! `loyalake sql`: queries over the published tables, from arguments, files, a pipe, or a prompt.

mod completion;
mod output;
mod prompt;
mod reference;

use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use datafusion::common::Result as QueryResult;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use loyalake_jobs::analyst::{Analyst, with_project, without_project};
use loyalake_jobs::statements::{only_reads, parse};
use loyalake_jobs::{Config, JobsError, Place, Project};

use crate::failure::{Failure, Result};
use crate::run::yesterday;

/// Query the published tables, or files; without -c or -f: a prompt
#[derive(Debug, Args)]
#[command(after_help = "\
Schemas (with --config):
  latest    the newest published run (the default schema)
  history   every published date
  source    the inputs
  job       staging and intermediate relations, computed when they are asked for

Examples:
  loyalake sql --config lake.toml
  loyalake sql --config lake.toml -c \"select * from customer_ltv limit 10\"
  loyalake sql -c \"select count(*) from 'orders/*.parquet'\"
  loyalake sql --config lake.toml -f report.sql --format csv > report.csv

In CSV, NULL is empty, and structs and lists are JSON. JSON is one array of objects for each
query.")]
pub(crate) struct SqlArgs {
    /// The project whose tables to open; without it, all functions and files by their quoted paths
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Queries to run, separated by `;`
    #[arg(short = 'c', long, value_name = "SQL", conflicts_with = "file")]
    #[arg(allow_hyphen_values = true)]
    command: Vec<String>,

    /// A file of queries to run
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// How to print results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns; the first rows of a long result
    Table,
    /// Comma-separated, with a header line
    Csv,
    /// An array of objects, one row a line
    Json,
}

pub(crate) async fn sql(args: &SqlArgs) -> Result<()> {
    let texts = texts(args)?;
    let project = match &args.config {
        Some(config) => Some(Project::open(Config::read(config)?)?),
        None => None,
    };
    let analyst = match &project {
        Some(project) => with_project(project, yesterday(project)?).await?,
        None => without_project()?,
    };
    for note in &analyst.notes {
        let note = console::style(format!("note: {note}")).for_stderr().dim();
        writeln!(stderr(), "{note}")?;
    }
    if texts.is_empty() {
        return prompt::prompt(&analyst, project.as_ref(), args.format).await;
    }
    let shows_time = stdout().is_terminal();
    let queries = async {
        for (name, text) in &texts {
            execute(&analyst, name, text, args.format, shows_time).await?;
        }
        Ok(())
    };
    // a query that is dropped takes its spilled files with it
    tokio::select! {
        done = queries => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    }
}

/// Names and texts of what to run; none: a prompt.
fn texts(args: &SqlArgs) -> Result<Vec<(String, String)>> {
    if let Some(path) = &args.file {
        let text = std::fs::read_to_string(path).map_err(|source| Failure::Read {
            path: path.clone(),
            source,
        })?;
        return Ok(vec![(path.display().to_string(), text)]);
    }
    if args.command.is_empty() && !stdin().is_terminal() {
        let mut text = String::new();
        let read = stdin().read_to_string(&mut text);
        read.map_err(|source| Failure::Read {
            path: PathBuf::from("stdin"),
            source,
        })?;
        return Ok(vec![("stdin".to_owned(), text)]);
    }
    Ok(args
        .command
        .iter()
        .map(|text| ("query".to_owned(), text.clone()))
        .collect())
}

/// Runs the statements of a text, which messages call `name`, and prints their results.
async fn execute(
    analyst: &Analyst,
    name: &str,
    text: &str,
    format: Format,
    shows_time: bool,
) -> Result<()> {
    let text: Arc<str> = Arc::from(text);
    let statements = parse(&text).map_err(|error| JobsError::sql(name, &text, None, &error))?;
    for (start, statement) in statements {
        let started = Instant::now();
        if !only_reads(&statement) {
            let place = Place::at(name, &text, start.line, start.column);
            return Err(Failure::NotReadOnly(place));
        }
        let failed = |error| JobsError::sql(name, &text, Some(start), &error);
        let frame = query(&analyst.context, statement).await.map_err(failed)?;
        let rows = frame.execute_stream().await.map_err(failed)?;
        let mut out = stdout().lock();
        let count = output::print(rows, format, &mut out, failed).await?;
        if format == Format::Table {
            let time = started.elapsed().as_secs_f64();
            let time = if shows_time {
                format!(", {time:.3} s")
            } else {
                String::new()
            };
            writeln!(out, "({}{time})", count.in_words())?;
        }
    }
    Ok(())
}

/// The result of a statement that only reads.
async fn query(context: &SessionContext, statement: Statement) -> QueryResult<DataFrame> {
    let plan = context.state().statement_to_plan(statement).await?;
    // a second wall, behind the one that knows statements
    let reading = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    reading.verify_plan(&plan)?;
    context.execute_logical_plan(plan).await
}
