//! Relations whose header says `kept: by file`: each of their rows comes from one row of a source,
//! so what is kept of a file holds until the file changes. Only new and changed files are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use loyalake_lake::kept::{self, Part};
use loyalake_lake::source::{Bundle, MOST_SINGLE_FILES, Source, Version, bundles};
use loyalake_lake::staging::Staged;
use loyalake_lake::{FileTable, Location};
use serde_json::json;

use super::Run;
use super::taken::Taken;
use crate::basis::{Basis, changes};
use crate::error::count;
use crate::fingerprint::digest;
use crate::report::Reuse;
use crate::row_wise::RowWise;
use crate::session::Session;
use crate::sql_file::SqlFile;
use crate::{JobsError, Result};

/// A relation that is kept by file.
#[derive(Clone)]
pub(super) struct ByFile {
    basis: Basis,
    /// Stands for the basis.
    key: String,
    rows: RowWise,
    /// The source.
    table: FileTable,
    /// What holds of what earlier runs have kept, and then what this one has computed.
    parts: Vec<Part>,
    reused_files: usize,
    /// The files that have to be read.
    fresh: BTreeMap<Version, PartitionedFile>,
    /// Why they have to.
    reasons: Vec<String>,
}

/// The needed relations that are kept by file, or why they can't be.
pub(super) async fn by_file(
    session: &Session<'_>,
    needed: &BTreeSet<String>,
    leaves: &Basis,
) -> Result<BTreeMap<String, std::result::Result<ByFile, String>>> {
    let mut found = BTreeMap::new();
    let files = session.project.graph.files().iter();
    for file in files.filter(|file| file.is_kept_by_file() && needed.contains(&file.name)) {
        if let Some(by_file) = ByFile::try_new(session, file, leaves).await? {
            found.insert(file.name.clone(), by_file);
        }
    }
    Ok(found)
}

impl ByFile {
    /// The relation, or why it can't be kept by file; none of an absent source.
    async fn try_new(
        session: &Session<'_>,
        file: &SqlFile,
        leaves: &Basis,
    ) -> Result<Option<std::result::Result<Self, String>>> {
        let rows = match RowWise::try_new(session.plan(file).await?) {
            Ok(rows) => rows,
            Err(reason) => return Ok(Some(Err(reason))),
        };
        let Some(source) = session.sources.get(&rows.source) else {
            return Ok(None);
        };
        let Some(table) = source.file_table() else {
            let why = "is text, whose files are read together";
            return Ok(Some(Err(format!("source.{} {why}", rows.source))));
        };
        let columns = rows.columns(&session.state());
        let columns = columns.map_err(|source| failed(&file.name, source))?;
        let Some(basis) = session.basis_by_file(file, leaves, &rows.source, columns) else {
            return Ok(Some(Err("it depends on the run".to_owned())));
        };
        Ok(Some(Ok(Self {
            key: digest(&json!(basis)),
            basis,
            table: table.clone(),
            rows,
            parts: Vec::new(),
            reused_files: 0,
            fresh: BTreeMap::new(),
            reasons: Vec::new(),
        })))
    }

    /// Finds what earlier runs have kept, and what has to be read because they have not.
    async fn look(&mut self, output: &Location, name: &str, session: &Session<'_>) -> Result<()> {
        let all = self.files(session);
        let parts = kept::find(output, name, &self.key).await?;
        let holds = |part: &Part| part.sources.iter().all(|version| all.contains_key(version));
        self.parts = parts.into_iter().filter(holds).collect();
        let bytes = |version: &Version| all.get(version).map_or(0, |file| file.object_meta.size);
        let is_small = |part: &Part| Bundle::is_small(part.sources.iter().map(bytes).sum());
        let small = self.parts.iter().filter(|part| is_small(part)).count();
        // a file a night must not make a thousand parts
        if small > MOST_SINGLE_FILES {
            self.parts.retain(|part| !is_small(part));
            let why = format!("{small} small parts are put together");
            self.reasons.push(why);
        }
        self.fresh = all;
        for version in self.parts.iter().flat_map(|part| &part.sources) {
            self.reused_files += usize::from(self.fresh.remove(version).is_some());
        }
        if !self.fresh.is_empty() && self.reasons.is_empty() {
            self.reasons = self.why(output, name).await?;
        }
        Ok(())
    }

    /// Why there are fresh files.
    async fn why(&self, output: &Location, name: &str) -> Result<Vec<String>> {
        let before = kept::bases(output, name).await?;
        let compared = before
            .iter()
            .map(|(basis, sources)| (changes(basis, &self.basis), sources));
        let Some((changes, sources)) = compared.min_by_key(|(changes, _)| changes.len()) else {
            return Ok(vec!["nothing is kept".to_owned()]);
        };
        if !changes.is_empty() {
            return Ok(changes);
        }
        let path = |version: &Version| version.split('\t').next().unwrap_or_default().to_owned();
        let paths: BTreeSet<String> = sources.iter().map(path).collect();
        let mut numbers = BTreeMap::new();
        for version in self.fresh.keys() {
            let kind = if sources.contains(version) {
                "kept no longer"
            } else if paths.contains(&path(version)) {
                "changed"
            } else {
                "new"
            };
            *numbers.entry(kind).or_insert(0) += 1;
        }
        let numbers = numbers.into_iter();
        Ok(numbers
            .map(|(kind, number)| format!("{kind}: {}", count(number, "file")))
            .collect())
    }

    fn files(&self, session: &Session<'_>) -> BTreeMap<Version, PartitionedFile> {
        let source = session.sources.get(&self.rows.source);
        source.map(Source::versions).unwrap_or_default()
    }

    /// Whether nothing has to be read.
    fn is_complete(&self) -> bool {
        self.fresh.is_empty()
    }

    fn staged(&self, output: &Location, name: &str) -> Staged {
        let schema = Arc::clone(self.rows.plan.schema().inner());
        kept::rows_of(output, name, &self.parts, schema)
    }
}

impl Run<'_> {
    /// Finds what earlier runs have kept of files; the relations of which nothing has to be read.
    pub(super) async fn look_for_files(&mut self) -> Result<BTreeSet<String>> {
        let mut complete = BTreeSet::new();
        for (name, by_file) in &mut self.by_file {
            let Ok(by_file) = by_file else { continue };
            if self.full_refresh {
                by_file.fresh = by_file.files(&self.session);
                by_file.reasons = vec!["--full-refresh".to_owned()];
            } else {
                by_file.look(&self.output, name, &self.session).await?;
            }
            if by_file.is_complete() {
                complete.insert(name.clone());
            }
        }
        Ok(complete)
    }

    /// The relation, if it is kept by file.
    fn kept_by_file(&self, name: &str) -> Option<&ByFile> {
        self.by_file.get(name)?.as_ref().ok()
    }

    /// Its rows, if nothing of it has to be read.
    pub(super) fn rows_of_files(&self, name: &str) -> Option<Staged> {
        let by_file = self.kept_by_file(name)?;
        let is_complete = by_file.is_complete();
        is_complete.then(|| by_file.staged(&self.output, name))
    }

    /// What the report says of a relation that is kept by file.
    pub(super) fn reuse_of_files(&self, name: &str) -> Option<Reuse> {
        Some(match self.by_file.get(name)? {
            Ok(by_file) => Reuse::ByFile {
                reused_files: by_file.reused_files,
                computed_files: by_file.fresh.len(),
                reasons: by_file.reasons.clone(),
            },
            Err(reason) => Reuse::Refused(vec![reason.clone()]),
        })
    }

    /// The rows of a relation that is kept by file, after its fresh files were read; none of one
    /// that is not.
    pub(super) async fn write_files(&mut self, name: &str) -> Result<Option<(Staged, Taken)>> {
        let Some(by_file) = self.kept_by_file(name) else {
            return Ok(None);
        };
        let (parts, taken) = self.parts_of_files(name, by_file).await?;
        let parts = by_file.parts.iter().cloned().chain(parts).collect();
        let by_file = ByFile {
            parts,
            ..by_file.clone()
        };
        let staged = by_file.staged(&self.output, name);
        self.by_file.insert(name.to_owned(), Ok(by_file));
        Ok(Some((staged, taken)))
    }

    /// Reads the fresh files, each bundle of them into files of its own.
    async fn parts_of_files(&self, name: &str, by_file: &ByFile) -> Result<(Vec<Part>, Taken)> {
        let folder = self.kept_folder(name);
        let mut taken = Taken::default();
        let bundles = bundles(by_file.fresh.clone());
        let shares = bundles.iter().enumerate().flat_map(|(place, bundle)| {
            let shares = bundle.shares().into_iter();
            shares.map(move |share| (place, share))
        });
        let shares: Vec<(usize, FileGroup)> = shares.collect();
        let mut parts: Vec<Part> = bundles
            .into_iter()
            .map(|bundle| Part {
                run_id: self.report.run_id.clone(),
                sources: bundle.versions,
                files: Vec::new(),
            })
            .collect();
        let at_once = self.session.state().config().target_partitions();
        for shares in shares.chunks(at_once) {
            let groups = shares.iter().map(|(_, share)| share.clone()).collect();
            let plan = by_file.rows.of(Arc::new(by_file.table.in_groups(groups)));
            let plan = plan.map_err(|source| failed(name, source))?;
            let state = self.session.state_of_groups(shares.len());
            let (written, taken_by_plan) = self.write_plan(name, state, plan, &folder).await?;
            for (partition, file) in written.files {
                parts[shares[partition].0].files.push(file);
            }
            taken.add_all(taken_by_plan);
        }
        Ok((parts, taken))
    }

    /// Lets later runs find what this one has computed of files.
    pub(super) async fn keep_files(&self) -> Result<()> {
        for (name, by_file) in &self.by_file {
            if let Ok(ByFile {
                key, basis, parts, ..
            }) = by_file
            {
                kept::keep(&self.output, name, key, basis, parts).await?;
            }
        }
        Ok(())
    }

    /// What stands for what the rows of each file rest on.
    pub(super) fn key_by_file(&self, name: &str) -> Option<&str> {
        Some(&self.kept_by_file(name)?.key)
    }

    /// Forgets the relations that are not computed after all, so that what is kept of them stays.
    pub(super) fn forget_unneeded_files(&mut self) {
        let needed = &self.needed;
        self.by_file.retain(|name, found| {
            let is_complete = found.as_ref().is_ok_and(ByFile::is_complete);
            is_complete || needed.contains(name)
        });
    }
}

impl Session<'_> {
    /// State for planning what reads groups of files, each in a partition of its own.
    fn state_of_groups(&self, groups: usize) -> SessionState {
        let mut state = self.state();
        let config = state.config_mut();
        *config = config
            .clone()
            .with_target_partitions(groups)
            .with_repartition_file_scans(false)
            .with_round_robin_repartition(false);
        state
    }
}

fn failed(name: &str, source: DataFusionError) -> JobsError {
    let relation = name.to_owned();
    JobsError::Execution { relation, source }
}
