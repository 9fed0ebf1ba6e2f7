//! `loyalake erase`: customers leave every table and date, and stay away.

use std::collections::BTreeSet;
use std::io::{Write, stderr, stdout};
use std::path::PathBuf;

use clap::Args;
use loyalake_jobs::housekeeping::erase::{Erased, erase as erase_customers};
use loyalake_jobs::{Config, Project};

use crate::failure::{Failure, Result};
use crate::text_table::{TextTable, terminal_width};

/// Remove customers from every published table and date, and keep them out of later runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake erase --customer-id 1017 --dry-run
  loyalake erase --customer-id 1017 --customer-id 2044
  loyalake erase --from-file erasures.txt        one id a line
  loyalake erase                                 finish what was interrupted

The files that held them are deleted at once: nobody can read or go back to versions from before.
The receipt is printed as JSON and kept in <output>/_loyalake/erased/; it holds the ids, so that
runs leave these customers out, also when the sources still have them. Sources, exports and copies
elsewhere are yours to clean. Figures over many customers stay as they were published.")]
pub(crate) struct EraseArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// A customer, as the tables show the id; can be given several times
    #[arg(long, value_name = "ID")]
    customer_id: Vec<String>,

    /// A text file with one id a line
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,

    /// Say what would be removed, without removing it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn erase(args: &EraseArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let ids = ids(args)?;
    let erased = erase_customers(&project, &ids, args.dry_run).await?;
    if erased.receipts.is_empty() {
        return Err(Failure::NobodyToErase);
    }
    if args.dry_run {
        return dry_run(&erased);
    }
    let mut out = stdout().lock();
    for receipt in &erased.receipts {
        // a receipt is made of texts, numbers and dates, all of which JSON can say
        let text = serde_json::to_string_pretty(receipt).unwrap_or_default();
        writeln!(out, "{text}")?;
        writeln!(
            stderr(),
            "kept as {}{}.json",
            erased.folder,
            receipt.receipt_id
        )?;
        if receipt.rows.is_empty() {
            let note = "no published table had rows of these customers; is the id right?";
            writeln!(stderr(), "{note}")?;
        }
    }
    Ok(())
}

fn ids(args: &EraseArgs) -> Result<BTreeSet<String>> {
    let mut ids: BTreeSet<String> = args.customer_id.iter().cloned().collect();
    if let Some(path) = &args.from_file {
        let text = std::fs::read_to_string(path).map_err(|source| Failure::Read {
            path: path.clone(),
            source,
        })?;
        ids.extend(text.lines().map(|line| line.trim().to_owned()));
    }
    ids.remove("");
    Ok(ids)
}

fn dry_run(erased: &Erased) -> Result<()> {
    let mut table = TextTable::new(&["table", "as_of_date", "rows#"]);
    for rows in erased.receipts.iter().flat_map(|receipt| &receipt.rows) {
        table.row([
            &rows.table,
            &rows.as_of_date.to_string(),
            &rows.rows.to_string(),
        ]);
    }
    let mut out = stdout().lock();
    if table.is_empty() {
        writeln!(out, "no published table has rows of these customers")?;
    } else {
        out.write_all(table.render(terminal_width()).as_bytes())?;
    }
    writeln!(out, "\nnothing was erased (--dry-run)")?;
    Ok(())
}
