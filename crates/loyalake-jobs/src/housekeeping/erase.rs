//! Erasing customers: their rows leave every published table and date, and so do the files that
//! held them.
//!
//! The receipt is written first, so that runs leave these customers out from then on, whatever
//! becomes of this command; an erasure that was interrupted is finished by the next one. Then the
//! files of every date that has rows of them are written again, and committed like a run. Last,
//! all files of these tables that the newest version does not name are deleted: versions from
//! before can't be read any more, and nobody can go back to them. What was kept for later
//! runs is deleted, too.
//!
//! What is counted or averaged over customers stays as it was published, and so do rows of
//! quarantined orders, refunds and contracts: they are known by their own keys, which name nobody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type, Schema};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, cast, col, lit};
use loyalake_lake::delta::{DeltaVersion, PARTITION};
use loyalake_lake::erasure::{ErasedRows, Receipt};
use loyalake_lake::rewrite::Rewrite;
use loyalake_lake::{kept, vacuum};

use super::restate::Restatement;
use super::{Change, PublishedLake, by_date, failed, new_id, now};
use crate::Result;
use crate::ledger::Ledger;
use crate::project::Project;

/// The column that says whose a row is.
pub(crate) const CUSTOMER: &str = "customer_id";

/// The columns that say which row of which input a row is about.
const SOURCE: &str = "source";
const ROW_KEY: &str = "row_key";

/// Rows by table and date.
type RowCounts = BTreeMap<(String, NaiveDate), usize>;

/// What an erasure did.
#[derive(Debug, Clone)]
pub struct Erased {
    /// The receipts: of erasures that had been interrupted, and of this one.
    pub receipts: Vec<Receipt>,
    /// The folder that keeps them.
    pub folder: String,
}

/// Erases customers for good, those of interrupted erasures among them. With `dry_run` only says
/// what would be removed.
///
/// # Errors
/// What the store says. The tables are then as they were or without these customers; the command
/// finishes what is left when it is run again.
pub async fn erase(project: &Project, ids: &BTreeSet<String>, dry_run: bool) -> Result<Erased> {
    let lake = PublishedLake::open(project)?;
    let mut receipts = Receipt::read_all(&lake.output).await?;
    receipts.retain(|receipt| receipt.finished_at.is_none());
    let is_new = |id: &&String| !receipts.iter().any(|open| open.customer_ids.contains(*id));
    let new: BTreeSet<String> = ids.iter().filter(is_new).cloned().collect();
    if !new.is_empty() {
        receipts.push(new_receipt(new));
    }
    let folder = Receipt::folder(&lake.output).url().to_string();
    if dry_run {
        for receipt in &mut receipts {
            receipt.rows = lake.find(&receipt.customer_ids).await?;
        }
    } else if !receipts.is_empty() {
        let change = lake.begin().await?;
        let done = lake.erase(&change, &mut receipts).await;
        lake.end(change, done).await?;
    }
    Ok(Erased { receipts, folder })
}

fn new_receipt(customer_ids: BTreeSet<String>) -> Receipt {
    Receipt {
        receipt_id: new_id(),
        customer_ids,
        requested_at: now(),
        finished_at: None,
        rows: Vec::new(),
        files_deleted: 0,
        bytes_deleted: 0,
    }
}

impl PublishedLake<'_> {
    async fn erase(&self, change: &Change, receipts: &mut [Receipt]) -> Result<()> {
        for receipt in receipts.iter_mut() {
            let found = self.find(&receipt.customer_ids).await?;
            // what an interrupted erasure has found is not found again if it got as far as that
            if !found.is_empty() {
                receipt.rows = found;
            }
            receipt.write(&self.output).await?;
        }
        let ids = receipts
            .iter()
            .flat_map(|receipt| receipt.customer_ids.iter().cloned());
        let ids: BTreeSet<String> = ids.collect();
        let ledger = Ledger::read(self.project, &self.output).await?;
        let names = self.tables(ledger.as_ref());
        self.leave_out(change, &names, &ids).await?;
        let (files, bytes) = self.delete_replaced(&names).await?;
        kept::remove_all(&self.output).await?;
        for receipt in receipts {
            receipt.finished_at = Some(now());
            (receipt.files_deleted, receipt.bytes_deleted) = (files, bytes);
            receipt.write(&self.output).await?;
        }
        Ok(())
    }

    /// The number of rows of customers, by table and date.
    async fn find(&self, ids: &BTreeSet<String>) -> Result<Vec<ErasedRows>> {
        let ledger = Ledger::read(self.project, &self.output).await?;
        let mut found = Vec::new();
        for name in self.tables(ledger.as_ref()) {
            let Some(current) = self.newest(&name).await? else {
                continue;
            };
            if let Some(theirs) = self.rows_of(current.schema()?.as_ref(), ids) {
                found.extend(self.count(&name, &current, theirs).await?);
            }
        }
        Ok(found)
    }

    async fn count(
        &self,
        name: &str,
        current: &DeltaVersion,
        theirs: Expr,
    ) -> Result<Vec<ErasedRows>> {
        let rows = self.rows(name, current.table()?, Some(theirs))?;
        let counts = rows
            .aggregate(vec![col(PARTITION)], vec![count(lit(1)).alias("rows")])
            .and_then(|counts| counts.sort_by(vec![col(PARTITION)]))
            .map_err(failed(name))?;
        let mut found = Vec::new();
        for batch in counts.collect().await.map_err(failed(name))? {
            let dates = batch.column(0).as_primitive::<Date32Type>();
            let counts = batch.column(1).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                found.push(ErasedRows {
                    table: name.to_owned(),
                    as_of_date: dates.value_as_date(row).unwrap_or_default(),
                    rows: usize::try_from(counts.value(row)).unwrap_or_default(),
                });
            }
        }
        Ok(found)
    }

    /// Commits every date that has rows of these customers without them.
    async fn leave_out(
        &self,
        change: &Change,
        names: &BTreeSet<String>,
        ids: &BTreeSet<String>,
    ) -> Result<()> {
        let found = self.find(ids).await?.into_iter();
        let fewer_rows: RowCounts = found
            .map(|rows| ((rows.table, rows.as_of_date), rows.rows))
            .collect();
        if fewer_rows.is_empty() {
            return Ok(());
        }
        let mut versions = BTreeMap::new();
        for name in names {
            let Some(current) = self.newest(name).await? else {
                continue;
            };
            let dates = fewer_rows.keys().filter(|(table, _)| table == name);
            let dates: Vec<String> = dates.map(|(_, date)| date.to_string()).collect();
            let theirs = self.rows_of(current.schema()?.as_ref(), ids);
            let Some(theirs) = theirs.filter(|_| !dates.is_empty()) else {
                versions.insert(name.clone(), current.version());
                continue;
            };
            let mut files = by_date(current.files()?);
            let mut rewrite = Rewrite::default();
            for date in dates {
                let files = files.remove(&date).unwrap_or_default();
                let place = (name.as_str(), date.as_str());
                let others = Some(theirs.clone().is_not_true());
                let staged = self
                    .write_again(change, &current, place, &files, others)
                    .await?;
                rewrite.added.push((date, staged));
                rewrite.removed.extend(files);
            }
            let metadata = change.metadata("erase");
            let version = change.publication.rewrite(name, &rewrite, metadata).await?;
            versions.insert(name.clone(), version);
        }
        let restatement = Restatement {
            versions,
            fewer_rows,
            first_date: None,
        };
        self.restate(change, &restatement, "erase").await
    }

    /// Deletes all files of the customers' tables that the newest versions do not name.
    async fn delete_replaced(&self, names: &BTreeSet<String>) -> Result<(usize, u64)> {
        let (mut files, mut bytes) = (0, 0);
        for name in names {
            let Some(current) = self.newest(name).await? else {
                continue;
            };
            if self
                .rows_of(current.schema()?.as_ref(), &BTreeSet::new())
                .is_none()
            {
                continue;
            }
            let replaced = current.unneeded_files(&self.output, None).await?;
            vacuum::delete(&self.output, &replaced).await?;
            files += replaced.len();
            bytes += replaced.iter().map(|file| file.size).sum::<u64>();
        }
        Ok((files, bytes))
    }

    /// Which rows of a table are about these customers; None for a table of other things.
    fn rows_of(&self, schema: &Schema, ids: &BTreeSet<String>) -> Option<Expr> {
        let has = |name: &str| schema.field_with_name(name).is_ok();
        let texts: Vec<Expr> = ids.iter().map(|id| lit(id.as_str())).collect();
        if has(CUSTOMER) {
            return Some(cast(col(CUSTOMER), DataType::Utf8).in_list(texts, false));
        }
        let about_customers = col(SOURCE).in_list(self.customer_sources(), false);
        let is_theirs = || about_customers.and(col(ROW_KEY).in_list(texts, false));
        (has(SOURCE) && has(ROW_KEY)).then(is_theirs)
    }

    /// The inputs whose rows are known by the customer alone.
    fn customer_sources(&self) -> Vec<Expr> {
        let contracts = self.project.contracts.iter();
        let is_theirs = |name: &str| {
            let staged = self.project.graph.get(&format!("stg_{name}"));
            staged.is_some_and(|file| file.grain() == [CUSTOMER])
        };
        contracts
            .filter(|contract| is_theirs(&contract.name))
            .map(|contract| lit(contract.name.as_str()))
            .collect()
    }
}
