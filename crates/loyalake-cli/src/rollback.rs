//! `loyalake rollback`: all tables as they were when a run was published.

use std::io::{Write, stdout};
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use loyalake_jobs::housekeeping::rollback::rollback as roll_back;
use loyalake_jobs::{Config, Project};

use crate::failure::Result;
use crate::text_table::{TextTable, terminal_width};

/// Put all tables back to what they were right after a run was published
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake sql --config lake.toml -c \"select as_of_date, run_id, finished_at from history.runs\"
  loyalake rollback 0199b8a1-63d2-7cc0-8d5e-0f5c1a2b3c4d --dry-run
  loyalake rollback 0199b8a1-63d2-7cc0-8d5e-0f5c1a2b3c4d

Dates that were published later vanish from the tables, and are listed. Their files stay until
`loyalake maintain` deletes them after its retention: until then, `rollback` to the run that was the
last one before goes forward again.")]
pub(crate) struct RollbackArgs {
    /// The run that is to be the last one
    run_id: String,

    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// Say what would change, without changing it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn rollback(args: &RollbackArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let done = roll_back(&project, &args.run_id, args.dry_run).await?;
    let mut table = TextTable::new(&["table", "version#", "back to version#"]);
    let text = |version: Option<u64>| version.map_or("none".to_owned(), |it| it.to_string());
    for restored in &done.tables {
        table.row([&restored.name, &text(restored.from), &text(restored.to)]);
    }
    let mut out = stdout().lock();
    out.write_all(table.render(terminal_width()).as_bytes())?;
    writeln!(out)?;
    let lists = [
        ("dates that vanish", &done.dates_removed),
        ("dates that show another run", &done.dates_changed),
    ];
    for (what, dates) in lists {
        if !dates.is_empty() {
            let dates: Vec<String> = dates.iter().map(NaiveDate::to_string).collect();
            writeln!(out, "{what}: {}", dates.join(", "))?;
        }
    }
    if args.dry_run {
        writeln!(out, "nothing was changed (--dry-run)")?;
    } else {
        let (run_id, date) = (&done.run_id, done.as_of_date);
        writeln!(out, "all tables are as run {run_id} of {date} left them")?;
    }
    Ok(())
}
