//! `loyalake maintain`: fewer files, fewer dates, and nothing that nobody needs.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use loyalake_jobs::housekeeping::maintain::{
    MaintainOptions, Maintained, maintain as maintain_lake,
};
use loyalake_jobs::{Config, Project};

use crate::failure::Result;
use crate::text_table::{TextTable, bytes, terminal_width};

/// Merge small files, drop old dates, write checkpoints, and delete files that nobody needs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake maintain --dry-run                    what would be done
  loyalake maintain
  loyalake maintain --keep-days 730              and drop dates of more than two years ago

What runs that died have left is put in order first. Files that were replaced stay for the
retention, so that whoever reads them can finish, and `loyalake rollback` can go back to them. Runs
may be at work meanwhile.")]
pub(crate) struct MaintainArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// Say what would be done, without doing it
    #[arg(long)]
    dry_run: bool,

    /// Drop dates that lie more days than this before the newest one
    /// [default: `maintenance.keep_days` of the configuration, else keep all]
    #[arg(long, value_name = "N")]
    keep_days: Option<u32>,

    /// How long files stay after they were replaced
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    retention_hours: u32,
}

pub(crate) async fn maintain(args: &MaintainArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let options = MaintainOptions {
        keep_days: args.keep_days,
        retention_hours: args.retention_hours,
        dry_run: args.dry_run,
    };
    let done = maintain_lake(&project, &options).await?;
    let mut out = stdout().lock();
    out.write_all(tables(&done).render(terminal_width()).as_bytes())?;
    writeln!(out)?;
    if !done.dropped_dates.is_empty() {
        let dates: Vec<String> = done.dropped_dates.iter().map(ToString::to_string).collect();
        let what = if args.dry_run {
            "dates to drop"
        } else {
            "dropped dates"
        };
        writeln!(out, "{what}: {}", dates.join(", "))?;
    }
    for run_id in &done.settled_runs {
        writeln!(out, "run {run_id} had died; what it left is removed")?;
    }
    for receipt_id in &done.unfinished_erasures {
        writeln!(
            out,
            "erasure {receipt_id} was interrupted; finish it with `loyalake erase`"
        )?;
    }
    if args.dry_run {
        writeln!(out, "nothing was changed (--dry-run)")?;
    }
    Ok(())
}

fn tables(done: &Maintained) -> TextTable {
    let mut table = TextTable::new(&[
        "table",
        "dates dropped#",
        "files merged#",
        "into#",
        "files deleted#",
        "size#",
        "checkpoint",
    ]);
    for maintained in &done.tables {
        table.row([
            &maintained.name,
            &maintained.dates_dropped.to_string(),
            &maintained.files_merged.to_string(),
            &maintained.files_written.to_string(),
            &maintained.files_deleted.to_string(),
            &bytes(maintained.bytes_deleted),
            if maintained.is_checkpointed {
                "yes"
            } else {
                "no"
            },
        ]);
    }
    table
}
