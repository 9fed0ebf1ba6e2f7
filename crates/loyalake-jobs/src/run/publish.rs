//! Publishing what was staged and audited: a commit for each table, then the ledger's.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Utc;
use loyalake_lake::Lease;
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::erasure::erased_customers;
use loyalake_lake::publication::{Outcome, Publication};
use loyalake_lake::publish::CommitNote;
use serde_json::{Value, json};

use super::{Run, Step, define_facts};
use crate::report::Table;
use crate::sql_file::Kind;
use crate::{JobsError, Result};

impl Run<'_> {
    /// Commits every table, then the ledger. When anything fails, the commits made so far are
    /// taken back.
    pub(super) async fn publish(&mut self, lease: &Arc<Lease>) -> Result<()> {
        let project = self.session.project;
        let ledger = project.ledger().ok_or_else(|| {
            let message = "no table reads run.tables; restore marts/runs.sql";
            project.config.error(message, "overrides")
        })?;
        let marts = project.marts();
        let names = marts.iter().map(|mart| mart.name.as_str());
        let publication = Publication::begin(lease, &ledger.name, names).await?;
        self.reached(Step::Announced);
        let done = match self.refuse_overtaken().await {
            Ok(()) => self.commit_all(&publication).await,
            lost => lost,
        };
        let Err(cause) = done else {
            // before others may publish: an erasure finds all that is kept
            let kept = self.keep().await;
            self.warn_if_failed(kept);
            self.reached(Step::Published);
            let finished = publication.finish().await;
            self.warn_if_failed(finished.map_err(JobsError::from));
            return Ok(());
        };
        match publication.abandon().await {
            Ok(Outcome::Undone) => Err(cause),
            Ok(Outcome::Complete) => Ok(()),
            Err(source) => Err(JobsError::NotUndone {
                cause: Box::new(cause),
                source: Box::new(source),
            }),
        }
    }

    /// The date is still published by the run that it was published by when this one began, and
    /// nobody was erased since.
    async fn refuse_overtaken(&self) -> Result<()> {
        if erased_customers(&self.output).await? != self.erased {
            return Err(JobsError::ErasedMeanwhile);
        }
        match self.publisher().await? {
            Some(other) if self.predecessor.as_ref() != Some(&other) => {
                let date = self.report.as_of_date;
                Err(JobsError::LostRace { date, other })
            }
            _ => Ok(()),
        }
    }

    async fn commit_all(&mut self, publication: &Publication) -> Result<()> {
        let last = self.after_commits();
        let late: Vec<&str> = last.iter().map(|file| file.name.as_str()).collect();
        let early: Vec<String> = self
            .tables
            .iter()
            .filter(|name| !late.contains(&name.as_str()))
            .cloned()
            .collect();
        for table in &early {
            self.commit(table, publication).await?;
        }
        self.keep_other_versions(publication).await?;
        self.report
            .tables
            .sort_by(|one, two| one.name.cmp(&two.name));
        self.report.finished_at = Some(Utc::now());
        define_facts(&self.session, &self.report)?;
        for file in last.iter().filter(|file| file.kind != Kind::Report) {
            self.compute(file).await?;
            self.refuse_failed_audits()?;
        }
        for file in last.iter().filter(|file| file.kind == Kind::Mart) {
            self.commit(&file.name, publication).await?;
        }
        Ok(())
    }

    async fn commit(&mut self, table: &str, publication: &Publication) -> Result<()> {
        let Some(staged) = self.staged.get(table) else {
            return Ok(());
        };
        let note = CommitNote {
            date: self.report.as_of_date.to_string(),
            metadata: self.commit_metadata(),
        };
        let version = publication.replace_date(table, staged, &note).await?;
        let (name, rows) = (table.to_owned(), staged.rows());
        self.report.tables.push(Table {
            name,
            version,
            rows,
        });
        self.reached(Step::Committed(table));
        Ok(())
    }

    /// What every commit of the run says: who made it, with which code, from which inputs.
    fn commit_metadata(&self) -> HashMap<String, Value> {
        let inputs = self.report.inputs.iter();
        let inputs: HashMap<&str, &str> = inputs
            .map(|input| (input.name.as_str(), input.fingerprint.as_str()))
            .collect();
        HashMap::from([
            ("run_id".to_owned(), json!(self.report.run_id)),
            ("code_version".to_owned(), json!(self.report.code_version)),
            ("inputs".to_owned(), json!(inputs)),
        ])
    }

    /// Tables that this run did not select stay at the version that they have.
    async fn keep_other_versions(&mut self, publication: &Publication) -> Result<()> {
        let date = self.report.as_of_date.to_string();
        for mart in self.session.project.marts() {
            let name = &mart.name;
            if self.tables.contains(name) {
                continue;
            }
            let folder = self.output.child(name);
            let base = publication.base(name);
            let Some(table) = DeltaVersion::open(&folder, base)
                .await?
                .filter(|_| base.is_some())
            else {
                continue;
            };
            self.report.tables.push(Table {
                name: name.clone(),
                version: table.version(),
                rows: table.rows_of(&date)?,
            });
        }
        Ok(())
    }
}
