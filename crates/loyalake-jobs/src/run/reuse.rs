//! Relations whose header says `kept: yes`: their rows stay beside the tables, and a later run uses
//! them if all that they rest on is what it was. Where they are: [`loyalake_lake::kept`].

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::TableReference;
use loyalake_lake::Location;
use loyalake_lake::kept::{self, Part};
use loyalake_lake::staging::Staged;
use serde_json::json;

use super::Run;
use super::select::needed_files;
use crate::basis::{Basis, changes};
use crate::fingerprint::digest;
use crate::report::Reuse;
use crate::session::{JOB_SCHEMA, Session};
use crate::{JobsError, Result};

/// A relation that outlives its run.
pub(super) struct Reusable {
    basis: Basis,
    /// Stands for the basis.
    key: String,
    /// What a run has kept, and its rows; or why nothing was found.
    found: std::result::Result<(Part, Staged), Vec<String>>,
}

/// The needed relations that are kept. Those that rest on the run itself are not.
pub(super) fn reusable(
    session: &Session<'_>,
    needed: &BTreeSet<String>,
    leaves: &Basis,
) -> BTreeMap<String, Reusable> {
    let files = session.project.graph.files().iter();
    let kept = files.filter(|file| file.is_kept() && needed.contains(&file.name));
    let with_basis = kept.filter_map(|file| Some((file, session.basis(file, leaves)?)));
    let reusable = with_basis.map(|(file, basis)| {
        let reusable = Reusable {
            key: digest(&json!(basis)),
            basis,
            found: Err(Vec::new()),
        };
        (file.name.clone(), reusable)
    });
    reusable.collect()
}

impl Reusable {
    /// What an earlier run has kept, or why it can't be used.
    async fn find(
        &self,
        output: &Location,
        name: &str,
        columns: SchemaRef,
    ) -> Result<std::result::Result<(Part, Staged), Vec<String>>> {
        if let Some(part) = kept::find(output, name, &self.key).await?.pop() {
            let staged = kept::rows_of(output, name, std::slice::from_ref(&part), columns);
            return Ok(Ok((part, staged)));
        }
        let before = kept::bases(output, name).await?;
        let changed = before.iter().map(|(basis, _)| changes(basis, &self.basis));
        let fewest = changed.min_by_key(Vec::len).unwrap_or_default();
        // no change at all: its files are gone
        if fewest.is_empty() {
            return Ok(Err(vec!["nothing is kept".to_owned()]));
        }
        Ok(Err(fewest))
    }
}

impl Run<'_> {
    /// Finds what earlier runs have kept; what only these relations read is not needed then.
    pub(super) async fn look_for_kept(&mut self) -> Result<()> {
        for (name, reusable) in &mut self.reusable {
            reusable.found = if self.full_refresh {
                Err(vec!["--full-refresh".to_owned()])
            } else {
                let columns = self.session.columns(name).await?;
                reusable.find(&self.output, name, columns).await?
            };
        }
        let reused = self.reusable.iter();
        let reused = reused.filter(|(_, reusable)| reusable.found.is_ok());
        let mut reused: BTreeSet<String> = reused.map(|(name, _)| name.clone()).collect();
        reused.extend(self.look_for_files().await?);
        self.needed = needed_files(self.session.project, &self.tables, &reused);
        // a kept relation that only kept ones read stays kept
        self.reusable
            .retain(|name, _| reused.contains(name) || self.needed.contains(name));
        self.forget_unneeded_files();
        Ok(())
    }

    /// Whether a relation's rows are kept for later runs.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.reusable.contains_key(name) || self.key_by_file(name).is_some()
    }

    /// The rows that earlier runs have kept, if they are all.
    pub(super) fn kept_rows(&self, name: &str) -> Option<Staged> {
        if let Some(staged) = self.rows_of_files(name) {
            return Some(staged);
        }
        let (_, staged) = self.reusable.get(name)?.found.as_ref().ok()?;
        Some(staged.clone())
    }

    /// What the report says of a relation that is kept.
    pub(super) fn reuse_of(&self, name: &str) -> Option<Reuse> {
        if let Some(reuse) = self.reuse_of_files(name) {
            return Some(reuse);
        }
        let reusable = self.reusable.get(name)?;
        Some(match &reusable.found {
            Ok((part, _)) => Reuse::FromRun(part.run_id.clone()),
            Err(reasons) => Reuse::Refused(reasons.clone()),
        })
    }

    /// Where the rows of a relation go that is to be kept.
    pub(super) fn kept_folder(&self, name: &str) -> Location {
        kept::folder(&self.output, name, &self.report.run_id)
    }

    /// Lets later runs find what this one has computed.
    pub(super) async fn keep(&self) -> Result<()> {
        for (name, reusable) in self.reusable.iter().filter(|(_, new)| new.found.is_err()) {
            if let Some(staged) = self.staged.get(name) {
                let part = Part {
                    run_id: self.report.run_id.clone(),
                    sources: BTreeSet::new(),
                    files: staged.files.clone(),
                };
                let (key, basis) = (&reusable.key, &reusable.basis);
                kept::keep(&self.output, name, key, basis, &[part]).await?;
            }
        }
        self.keep_files().await
    }

    /// Removes what was kept of these relations before, and of others that are not kept any more.
    pub(super) async fn prune_kept(&self) -> Result<()> {
        let run_id = &self.report.run_id;
        for (name, key) in self.kept_keys() {
            kept::prune(&self.output, name, key, run_id).await?;
        }
        let files = self.session.project.graph.files().iter();
        let kept = files.filter(|file| file.is_kept() || file.is_kept_by_file());
        let names = kept.map(|file| file.name.as_str()).collect();
        Ok(kept::forget_others(&self.output, &names, run_id).await?)
    }

    /// The names of the relations that are kept, and what stands for what they rest on.
    pub(super) fn kept_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let whole = self.reusable.iter();
        let whole = whole.map(|(name, reusable)| (name.as_str(), reusable.key.as_str()));
        let names = self.by_file.keys().map(String::as_str);
        whole.chain(names.filter_map(|name| Some((name, self.key_by_file(name)?))))
    }
}

impl Session<'_> {
    /// The columns of a relation that was planned.
    async fn columns(&self, name: &str) -> Result<SchemaRef> {
        let reference = TableReference::partial(JOB_SCHEMA, name);
        let table = self.context.table_provider(reference).await;
        let table = table.map_err(|source| JobsError::Execution {
            relation: name.to_owned(),
            source,
        })?;
        Ok(table.schema())
    }
}
