//! Committing what was staged and audited: all tables, then the ledger.

use std::collections::HashMap;

use chrono::Utc;
use loyalake_lake::LakeError;
use loyalake_lake::publish::{CommitNote, Published, publish};
use serde_json::{Value, json};

use super::{Run, define_facts};
use crate::Result;
use crate::report::Table;
use crate::sql_file::Kind;

impl Run<'_> {
    /// Commits every table, then the ledger. When anything fails, the commits made so far are
    /// taken back.
    pub(super) async fn publish(&mut self) -> Result<()> {
        let mut commits = Vec::new();
        let Err(cause) = self.commit_all(&mut commits).await else {
            return Ok(());
        };
        for commit in commits.iter().rev() {
            if let Err(source) = commit.undo().await {
                let (table, cause) = (commit.table().to_owned(), cause.to_string());
                return Err(LakeError::NotUndone {
                    table,
                    cause,
                    source: Box::new(source),
                }
                .into());
            }
        }
        Err(cause)
    }

    async fn commit_all(&mut self, commits: &mut Vec<Published>) -> Result<()> {
        let last = self.after_commits();
        let late: Vec<&str> = last.iter().map(|file| file.name.as_str()).collect();
        let early: Vec<String> = self
            .tables
            .iter()
            .filter(|name| !late.contains(&name.as_str()))
            .cloned()
            .collect();
        for table in &early {
            self.commit(table, commits).await?;
        }
        self.keep_other_versions()?;
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
            self.commit(&file.name, commits).await?;
        }
        Ok(())
    }

    async fn commit(&mut self, table: &str, commits: &mut Vec<Published>) -> Result<()> {
        let Some(staged) = self.staged.get(table) else {
            return Ok(());
        };
        let note = CommitNote {
            table: table.to_owned(),
            date: self.report.as_of_date.to_string(),
            metadata: self.commit_metadata(),
        };
        let base = self.bases.get(table).and_then(Option::as_ref);
        let published = publish(&self.output.child(table), base, staged, &note).await?;
        let (name, version, rows) = (table.to_owned(), published.version, staged.rows());
        self.report.tables.push(Table {
            name,
            version,
            rows,
        });
        commits.push(published);
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

    /// Tables that this run did not select stay at the version that it saw.
    fn keep_other_versions(&mut self) -> Result<()> {
        let date = self.report.as_of_date.to_string();
        for (name, base) in &self.bases {
            let Some(base) = base.as_ref().filter(|_| !self.tables.contains(name)) else {
                continue;
            };
            let is_of_date = |file: &loyalake_lake::DataFile| {
                file.partition_values
                    .iter()
                    .any(|value| value.to_string() == date)
            };
            let files = base.files()?;
            let rows = files
                .iter()
                .filter(|file| is_of_date(file))
                .filter_map(|file| file.rows)
                .sum();
            self.report.tables.push(Table {
                name: name.clone(),
                version: base.version(),
                rows,
            });
        }
        Ok(())
    }
}
