//! Maintenance: what crashes left is put in order, small files of a date are merged, old dates are
//! dropped, checkpoints are written, and files that nobody needs are deleted.
//!
//! Afterwards every row of the ledger names the newest version of each table, so that nothing but
//! the newest versions is needed by readers: older ones stay readable for the retention, counted
//! from when they were replaced, and their logs for 30 days. That is how long one can go back.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::erasure::Receipt;
use loyalake_lake::rewrite::Rewrite;
use loyalake_lake::{DataFile, vacuum};
use serde::Serialize;

use super::restate::Restatement;
use super::{Change, PublishedLake, by_date, file_count, now};
use crate::Result;
use crate::ledger::Ledger;
use crate::project::Project;

/// Files from this size on are not worth merging.
const SMALL_BYTES: u64 = 64_000_000;

/// What to do.
#[derive(Debug, Clone)]
pub struct MaintainOptions {
    /// Drop dates that lie more days than this before the newest; none: as configured.
    pub keep_days: Option<u32>,
    /// How long replaced files stay.
    pub retention_hours: u32,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Maintained {
    /// The tables, by name.
    pub tables: Vec<MaintainedTable>,
    /// The dates that were dropped.
    pub dropped_dates: Vec<NaiveDate>,
    /// Dead runs whose remains were removed.
    pub settled_runs: Vec<String>,
    /// Erasures that were interrupted: they wait for `loyalake erase`.
    pub unfinished_erasures: Vec<String>,
}

/// What was done to a table.
#[derive(Debug, Clone, Serialize)]
pub struct MaintainedTable {
    /// Its name.
    pub name: String,
    /// Number of its dates that were dropped.
    pub dates_dropped: usize,
    /// Number of small files that were merged.
    pub files_merged: usize,
    /// Number of files that they became.
    pub files_written: usize,
    /// Number of files that were deleted.
    pub files_deleted: usize,
    /// Size of these files.
    pub bytes_deleted: u64,
    /// Whether a checkpoint was written.
    pub is_checkpointed: bool,
}

/// What is to be done to a table.
struct Plan {
    current: DeltaVersion,
    /// Files of dates that are dropped.
    dropped: Vec<DataFile>,
    /// Files to be merged, by date.
    merged: BTreeMap<String, Vec<DataFile>>,
    report: MaintainedTable,
}

/// Maintains a lake.
///
/// # Errors
/// What the store says; the lake is then as it was, or maintained.
pub async fn maintain(project: &Project, options: &MaintainOptions) -> Result<Maintained> {
    let lake = PublishedLake::open(project)?;
    let keep_days = options.keep_days.or(project.config.maintenance.keep_days);
    if options.dry_run {
        return lake.foresee(keep_days, options.retention_hours).await;
    }
    lake.ledger().await?;
    let change = lake.begin().await?;
    let mut done = lake.maintain(&change, keep_days).await;
    if let Ok(report) = &mut done
        && let Err(error) = lake.clean(options.retention_hours, report).await
    {
        done = Err(error);
    }
    lake.end(change, done).await
}

impl PublishedLake<'_> {
    /// What [`maintain`] would do now.
    async fn foresee(&self, keep_days: Option<u32>, retention_hours: u32) -> Result<Maintained> {
        let ledger = self.ledger().await?;
        let first_date = first_date(&ledger, keep_days);
        let mut report = self.report(&ledger, first_date).await?;
        for mut plan in self.plans(&ledger, first_date).await? {
            let since = since(retention_hours);
            let mut unneeded = plan.current.unneeded_files(&self.output, since).await?;
            if since.is_none() {
                // what is replaced now would go at once
                let replaced = plan.merged.values().flatten().chain(&plan.dropped);
                unneeded.extend(replaced.map(|file| file.meta.clone()));
            }
            plan.report.delete(&unneeded);
            plan.report.is_checkpointed =
                plan.is_changed() || !plan.current.has_checkpoint().await?;
            report.tables.push(plan.report);
        }
        Ok(report)
    }

    async fn report(&self, ledger: &Ledger, first_date: Option<NaiveDate>) -> Result<Maintained> {
        let dates = ledger.rows().iter().map(|row| row.as_of_date);
        let is_dropped = |date: &NaiveDate| first_date.is_some_and(|first| *date < first);
        let receipts = Receipt::read_all(&self.output).await?.into_iter();
        let unfinished = receipts.filter(|receipt| receipt.finished_at.is_none());
        Ok(Maintained {
            dropped_dates: dates.filter(is_dropped).collect(),
            unfinished_erasures: unfinished.map(|receipt| receipt.receipt_id).collect(),
            ..Maintained::default()
        })
    }

    /// All commits.
    async fn maintain(&self, change: &Change, keep_days: Option<u32>) -> Result<Maintained> {
        let ledger = self.ledger().await?;
        let first_date = first_date(&ledger, keep_days);
        let mut report = self.report(&ledger, first_date).await?;
        report.settled_runs.clone_from(&change.settled);
        let mut versions = BTreeMap::new();
        for mut plan in self.plans(&ledger, first_date).await? {
            let name = plan.report.name.clone();
            if name == self.ledger_name {
                report.tables.push(plan.report);
                continue;
            }
            let version = self.rewrite(change, &mut plan).await?;
            versions.insert(name, version);
            report.tables.push(plan.report);
        }
        let is_stale = |row: &crate::ledger::LedgerRow| {
            let mut named = row.versions.iter();
            named.any(|(name, version)| versions.get(name) != Some(version))
        };
        if !report.dropped_dates.is_empty() || ledger.rows().iter().any(is_stale) {
            let restatement = Restatement {
                versions,
                fewer_rows: BTreeMap::new(),
                first_date,
            };
            self.restate(change, &restatement, "maintain").await?;
        }
        Ok(report)
    }

    /// What is to be done to each table, the ledger last.
    async fn plans(&self, ledger: &Ledger, first_date: Option<NaiveDate>) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        let names = self.tables(Some(ledger));
        for name in names.iter().chain([&self.ledger_name]) {
            if let Some(current) = self.newest(name).await? {
                let mut plan = Plan::new(name, current, first_date)?;
                if *name == self.ledger_name {
                    // it is written again as a whole, one file for each date
                    plan.merged.clear();
                    (plan.report.files_merged, plan.report.files_written) = (0, 0);
                }
                plans.push(plan);
            }
        }
        Ok(plans)
    }

    /// Merges and drops files in one commit; the table's version after that.
    async fn rewrite(&self, change: &Change, plan: &mut Plan) -> Result<u64> {
        let mut rewrite = Rewrite {
            removed: plan.dropped.clone(),
            added: Vec::new(),
            keeps_rows: plan.dropped.is_empty(),
        };
        let name = plan.report.name.as_str();
        for (date, files) in &plan.merged {
            let place = (name, date.as_str());
            let staged = self
                .write_again(change, &plan.current, place, files, None)
                .await?;
            rewrite.added.push((date.clone(), staged));
            rewrite.removed.extend(files.iter().cloned());
        }
        if rewrite.is_empty() {
            return Ok(plan.current.version());
        }
        let metadata = change.metadata("maintain");
        Ok(change.publication.rewrite(name, &rewrite, metadata).await?)
    }

    /// Deletes what nobody needs, and writes checkpoints.
    async fn clean(&self, retention_hours: u32, report: &mut Maintained) -> Result<()> {
        for table in &mut report.tables {
            let Some(current) = self.newest(&table.name).await? else {
                continue;
            };
            let since = since(retention_hours);
            let unneeded = current.unneeded_files(&self.output, since).await?;
            vacuum::delete(&self.output, &unneeded).await?;
            table.delete(&unneeded);
            if !current.has_checkpoint().await? {
                current.checkpoint().await?;
                table.is_checkpointed = true;
            }
        }
        Ok(())
    }
}

impl Plan {
    fn new(name: &str, current: DeltaVersion, first_date: Option<NaiveDate>) -> Result<Self> {
        let first_date = first_date.map(|date| date.to_string()).unwrap_or_default();
        let mut dates = by_date(current.files()?);
        // dates as texts are in the order of dates
        let kept = dates.split_off(&first_date);
        let (dates_dropped, dropped) = (dates.len(), dates.into_values().flatten().collect());
        let small = kept.into_iter().map(|(date, mut files)| {
            files.retain(|file| file.meta.size < SMALL_BYTES);
            (date, files)
        });
        let merged: BTreeMap<String, Vec<DataFile>> = small
            .filter(|(_, files)| files.len() > file_count(files))
            .collect();
        let report = MaintainedTable {
            name: name.to_owned(),
            dates_dropped,
            files_merged: merged.values().map(Vec::len).sum(),
            files_written: merged.values().map(|files| file_count(files)).sum(),
            files_deleted: 0,
            bytes_deleted: 0,
            is_checkpointed: false,
        };
        Ok(Self {
            current,
            dropped,
            merged,
            report,
        })
    }

    fn is_changed(&self) -> bool {
        !self.dropped.is_empty() || !self.merged.is_empty()
    }
}

impl MaintainedTable {
    fn delete(&mut self, files: &[vacuum::StoredFile]) {
        self.files_deleted = files.len();
        self.bytes_deleted = files.iter().map(|file| file.size).sum();
    }
}

/// The first date that is kept.
fn first_date(ledger: &Ledger, keep_days: Option<u32>) -> Option<NaiveDate> {
    let newest = ledger.newest()?.as_of_date;
    newest.checked_sub_days(Days::new(u64::from(keep_days?)))
}

/// From when on replaced files must stay; none: they need not.
fn since(retention_hours: u32) -> Option<DateTime<Utc>> {
    let retention = TimeDelta::hours(i64::from(retention_hours));
    let since = || now().checked_sub_signed(retention);
    (retention_hours > 0).then(|| since().unwrap_or(DateTime::<Utc>::MIN_UTC))
}
