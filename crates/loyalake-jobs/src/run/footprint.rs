//! What others see of a run while it is at work: its lease, staged files and scratch files.

use loyalake_lake::delta::PARTITION;
use loyalake_lake::publication::recover;
use loyalake_lake::{Lease, Location, staging};

use super::{Run, Step};
use crate::Result;
use crate::ledger::Ledger;

impl Run<'_> {
    /// Says that the run is at work, and puts in order what dead ones left.
    pub(super) async fn begin(&mut self) -> Result<Lease> {
        let folders = self.tables.iter().map(|table| self.staging_path(table));
        let lease = Lease::take(&self.output, &self.report.run_id, folders.collect()).await?;
        for run_id in recover(&lease, &self.scratch_root).await? {
            self.report.warnings.push(format!(
                "run {run_id} had died; what it left behind was put in order"
            ));
        }
        self.predecessor = self.publisher().await?;
        self.reached(Step::Leased);
        Ok(lease)
    }

    /// The run that the ledger names for the date.
    pub(super) async fn publisher(&self) -> Result<Option<String>> {
        let ledger = Ledger::read(self.session.project, &self.output).await?;
        let row = ledger
            .as_ref()
            .and_then(|ledger| ledger.of_date(self.report.as_of_date));
        Ok(row.map(|row| row.run_id.clone()))
    }

    /// Removes scratch files, when nothing of the run is published what it staged, and the lease.
    pub(super) async fn clean(&self, lease: &Lease, is_undone: bool) -> Result<()> {
        staging::remove(&self.scratch).await?;
        if is_undone {
            for table in &self.tables {
                staging::remove(&self.folder(table)).await?;
            }
            for (relation, _) in self.kept_keys() {
                staging::remove(&self.kept_folder(relation)).await?;
            }
        } else {
            self.prune_kept().await?;
        }
        Ok(lease.release().await?)
    }

    /// Where a table's new files are.
    pub(super) fn folder(&self, table: &str) -> Location {
        self.output.child(&self.staging_path(table))
    }

    /// Below the table, under date and run.
    fn staging_path(&self, table: &str) -> String {
        let (date, run_id) = (self.report.as_of_date, &self.report.run_id);
        format!("{table}/{PARTITION}={date}/{run_id}")
    }
}
