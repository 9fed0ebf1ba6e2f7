//! Going back: the lake as it was right after a run was published.
//!
//! Files that a rollback takes out of the tables stay until they are vacuumed, so that one can go
//! forward again in the same way.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::erasure::Receipt;
use serde::Serialize;

use super::{Change, PublishedLake};
use crate::ledger::{Ledger, LedgerRow};
use crate::project::Project;
use crate::{JobsError, Result};

/// How many runs a message names.
const LAST_RUNS: usize = 5;

/// What going back changes.
#[derive(Debug, Clone, Serialize)]
pub struct Rollback {
    /// The run that is the last one then.
    pub run_id: String,
    /// Its date.
    pub as_of_date: NaiveDate,
    /// Dates that were published later, and are not any more.
    pub dates_removed: Vec<NaiveDate>,
    /// Dates that show another run than before.
    pub dates_changed: Vec<NaiveDate>,
    /// Version of each table before, and the one whose files it has now.
    pub tables: Vec<RestoredTable>,
}

/// A table that goes back.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredTable {
    /// Its name.
    pub name: String,
    /// The newest version; none where there is no table.
    pub from: Option<u64>,
    /// The version that it goes back to; none: it was empty.
    pub to: Option<u64>,
}

/// Puts all tables back to what they were when `run_id` was published; with `dry_run` only says
/// what that changes.
///
/// # Errors
/// [`JobsError::UnknownRun`], [`JobsError::GoneBehind`] when files of that time are deleted,
/// [`JobsError::UnfinishedErasure`], and what the store says.
pub async fn rollback(project: &Project, run_id: &str, dry_run: bool) -> Result<Rollback> {
    let lake = PublishedLake::open(project)?;
    if dry_run {
        return lake.plan_rollback(run_id).await;
    }
    // what can't be done is said before anything begins
    lake.plan_rollback(run_id).await?;
    let change = lake.begin().await?;
    let done = lake.restore(&change, run_id).await;
    lake.end(change, done).await
}

impl PublishedLake<'_> {
    async fn restore(&self, change: &Change, run_id: &str) -> Result<Rollback> {
        let rollback = self.plan_rollback(run_id).await?;
        for table in &rollback.tables {
            change.publication.restore(&table.name, table.to).await?;
        }
        Ok(rollback)
    }

    /// What going back would change, if it is possible; the ledger is the last table.
    async fn plan_rollback(&self, run_id: &str) -> Result<Rollback> {
        let receipts = Receipt::read_all(&self.output).await?;
        if let Some(open) = receipts
            .iter()
            .find(|receipt| receipt.finished_at.is_none())
        {
            let receipt_id = open.receipt_id.clone();
            return Err(JobsError::UnfinishedErasure { receipt_id });
        }
        let now = self.ledger().await?;
        let before = self.newest(&self.ledger_name).await?;
        let before = before.ok_or_else(|| self.nothing_published())?;
        let ledger = RestoredTable {
            name: self.ledger_name.clone(),
            from: Some(before.version()),
            to: Some(
                commit_of(&before, run_id)
                    .await?
                    .ok_or_else(|| unknown(run_id, &now))?,
            ),
        };
        self.refuse_gone(run_id, &ledger, &receipts).await?;
        let then = Ledger::read_at(self.project, &self.output, ledger.to).await?;
        let then = then.ok_or_else(|| unknown(run_id, &now))?;
        let run = then.of_run(run_id).ok_or_else(|| unknown(run_id, &now))?;
        let mut tables = Vec::new();
        for name in self.tables(Some(&now)) {
            let to = run.versions.get(&name).copied();
            let from = self.newest(&name).await?.map(|table| table.version());
            let table = RestoredTable { name, from, to };
            self.refuse_gone(run_id, &table, &receipts).await?;
            tables.push(table);
        }
        tables.push(ledger);
        let runs = |ledger: &Ledger| -> BTreeMap<NaiveDate, String> {
            let rows = ledger.rows().iter();
            rows.map(|row| (row.as_of_date, row.run_id.clone()))
                .collect()
        };
        let (before, after) = (runs(&now), runs(&then));
        let is_removed = |date: &&NaiveDate| !after.contains_key(date);
        let is_changed = |(date, run_id): &(&NaiveDate, &String)| before.get(date) != Some(run_id);
        Ok(Rollback {
            run_id: run_id.to_owned(),
            as_of_date: run.as_of_date,
            dates_removed: before.keys().filter(is_removed).copied().collect(),
            dates_changed: after
                .iter()
                .filter(is_changed)
                .map(|(date, _)| *date)
                .collect(),
            tables,
        })
    }

    /// All files of the version that a table goes back to must be there.
    async fn refuse_gone(
        &self,
        run_id: &str,
        table: &RestoredTable,
        receipts: &[Receipt],
    ) -> Result<()> {
        let Some(version) = table.to else {
            return Ok(());
        };
        let folder = self.output.child(&table.name);
        let then = DeltaVersion::open(&folder, Some(version)).await;
        let place = format!("of table '{}' at version {version}", table.name);
        let then = then.map_err(|error| JobsError::GoneBehind {
            run_id: run_id.to_owned(),
            gone: format!("the log {place}"),
            reason: format!("`loyalake maintain` keeps logs for 30 days ({error})"),
        })?;
        let missing = match then {
            Some(then) => then.missing_files().await?,
            None => Vec::new(),
        };
        let Some(missing) = missing.first() else {
            return Ok(());
        };
        let erased = receipts.iter().rfind(|receipt| {
            let mut tables = receipt.rows.iter().map(|rows| &rows.table);
            tables.any(|name| *name == table.name)
        });
        let reason = match erased {
            Some(receipt) => format!(
                "erasure {} deleted rows of customers from it, or `loyalake maintain` removed it \
                 after its retention",
                receipt.receipt_id
            ),
            None => "`loyalake maintain` removed it after its retention".to_owned(),
        };
        Err(JobsError::GoneBehind {
            run_id: run_id.to_owned(),
            gone: format!("file {missing} {place}"),
            reason,
        })
    }
}

/// The version that a run committed, if its log is there.
async fn commit_of(ledger: &DeltaVersion, run_id: &str) -> Result<Option<u64>> {
    for (version, _) in ledger.commits().await?.into_iter().rev() {
        let actions = ledger.actions(version).await?;
        let mut ids = actions.iter().map(|action| &action["commitInfo"]["run_id"]);
        if ids.any(|id| id.as_str() == Some(run_id)) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

fn unknown(run_id: &str, ledger: &Ledger) -> JobsError {
    let name = |row: &LedgerRow| format!("{} of {}", row.run_id, row.as_of_date);
    // run ids are in the order of time
    let mut rows: Vec<&LedgerRow> = ledger.rows().iter().collect();
    rows.sort_by(|one, two| two.run_id.cmp(&one.run_id));
    JobsError::UnknownRun {
        run_id: run_id.to_owned(),
        last: rows.into_iter().take(LAST_RUNS).map(name).collect(),
    }
}
