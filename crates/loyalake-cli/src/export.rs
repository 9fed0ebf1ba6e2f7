//! `loyalake export`: published tables as plain Parquet files.

use std::io::{Write, stdout};
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use loyalake_jobs::housekeeping::export::{ExportOptions, export as export_tables};
use loyalake_jobs::{Config, Project};

use crate::failure::Result;
use crate::text_table::{TextTable, bytes, terminal_width};

/// Formats of exported files.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// Apache Parquet
    Parquet,
}

/// Write the tables of a run as plain Parquet files, for programs that do not read Delta
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake export --to exports/2026-11-21
  loyalake export --to s3://my-bucket/exports/november --as-of 2026-11-30
  loyalake export --to segments --table customer_segments --table segment_ltv

Each table becomes <folder>/<table>/….parquet, with as_of_date as a column. manifest.json is written
last: when it is there, the export is complete. Nothing that is there is ever written over.")]
pub(crate) struct ExportArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// A new folder, or the URL of one
    #[arg(long, value_name = "FOLDER")]
    to: String,

    /// The format of the files
    #[arg(long, value_enum, default_value = "parquet")]
    format: ExportFormat,

    /// The date of the run [default: the newest]
    #[arg(long, value_name = "DATE")]
    as_of: Option<NaiveDate>,

    /// Only this table; can be given several times
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
}

pub(crate) async fn export(args: &ExportArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let ExportFormat::Parquet = args.format;
    let options = ExportOptions {
        to: args.to.clone(),
        as_of_date: args.as_of,
        tables: args.table.clone(),
    };
    let manifest = export_tables(&project, &options).await?;
    let mut table = TextTable::new(&["table", "rows#", "files#", "size#"]);
    for exported in &manifest.tables {
        table.row([
            &exported.name,
            &exported.rows.to_string(),
            &exported.files.len().to_string(),
            &bytes(exported.bytes),
        ]);
    }
    let mut out = stdout().lock();
    out.write_all(table.render(terminal_width()).as_bytes())?;
    writeln!(
        out,
        "\nexported run {} of {} to {}",
        manifest.run_id, manifest.as_of_date, args.to
    )?;
    Ok(())
}
