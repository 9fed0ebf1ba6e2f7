//! Files that no version needs any more, checkpoints, and the end of a log.
//!
//! A file is needed while the newest version names it, or while one named it that was the newest
//! less than the retention ago: whoever opened such a version goes on reading. A file that no
//! version ever named was left by a crash, and is needed while it is younger than the retention.
//!
//! Source: Delta transaction log protocol, sections on checkpoints and on vacuum.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deltalake::checkpoints::{cleanup_metadata, create_checkpoint};
use futures::{StreamExt, TryStreamExt};
pub use object_store::ObjectMeta as StoredFile;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use serde_json::Value;

use crate::delta::{DeltaVersion, delta_error};
use crate::source::place::address;
use crate::{Location, Result, claimed_runs, control, staging};

/// The folder of a table's log.
const LOG: &str = "_delta_log";

/// Folders above a removed file that may be empty then: run, date.
const EMPTY_PARENTS: usize = 2;

impl DeltaVersion {
    /// Files below the table that nobody needs, this version being the newest and nobody being
    /// about to publish: see the module. Without `since` only this version counts. Files of runs
    /// that are at work on the lake `output` are left out.
    ///
    /// # Errors
    /// A log that can't be read.
    pub async fn unneeded_files(
        &self,
        output: &Location,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<StoredFile>> {
        let mut needed: HashSet<Path> = HashSet::new();
        needed.extend(self.files()?.into_iter().map(|file| file.meta.location));
        if let Some(since) = since {
            needed.extend(self.files_since(since).await?);
        }
        let listed = self.location.store().list(Some(self.location.path()));
        let mut files: Vec<StoredFile> = listed.try_collect().await?;
        // after the listing: a run says that it is at work before it writes any file
        let at_work = claimed_runs(output).await?;
        let log = self.location.path().clone().join(LOG);
        files.retain(|file| {
            let mut parts = file.location.parts();
            !file.location.prefix_matches(&log)
                && !needed.contains(&file.location)
                && since.is_none_or(|since| file.last_modified < since)
                && !parts.any(|part| at_work.contains(part.as_ref()))
        });
        files.sort_by(|one, two| one.location.cmp(&two.location));
        Ok(files)
    }

    /// Files of every version that was the newest at some time from `since` on.
    async fn files_since(&self, since: DateTime<Utc>) -> Result<Vec<Path>> {
        let commits = self.commits().await?;
        let later = commits.iter().filter(|(_, time)| *time >= since);
        let mut files = Vec::new();
        for (version, _) in later {
            for action in self.actions(*version).await? {
                if let Some(path) = action["add"]["path"].as_str() {
                    files.push(self.absolute(&Path::from_url_path(path).unwrap_or_default()));
                }
            }
        }
        let before = commits.iter().rfind(|(_, time)| *time < since);
        if let Some((version, _)) = before
            && let Some(before) = Self::open(&self.location, Some(*version)).await?
        {
            files.extend(before.files()?.into_iter().map(|file| file.meta.location));
        }
        Ok(files)
    }

    /// The versions up to this one whose log entries are there, in order, and when they were made.
    ///
    /// # Errors
    /// What the store says.
    pub async fn commits(&self) -> Result<Vec<(u64, DateTime<Utc>)>> {
        let log = self.location.child(LOG);
        let listed = log.store().list_with_delimiter(Some(log.path())).await?;
        let entry = |file: &StoredFile| {
            let name = file.location.filename()?;
            let version: u64 = name.strip_suffix(".json")?.parse().ok()?;
            (version <= self.version()).then_some((version, file.last_modified))
        };
        let mut commits: Vec<_> = listed.objects.iter().filter_map(entry).collect();
        commits.sort_unstable();
        Ok(commits)
    }

    /// The actions of a version's log entry; none where the entry is gone.
    ///
    /// # Errors
    /// What the store says.
    pub async fn actions(&self, version: u64) -> Result<Vec<Value>> {
        let entry = self.table.log_store().read_commit_entry(version).await;
        let entry = entry
            .map_err(delta_error(&self.location))?
            .unwrap_or_default();
        serde_json::Deserializer::from_slice(&entry)
            .into_iter()
            .collect::<std::result::Result<_, _>>()
            .map_err(|source| delta_error(&self.location)(source.into()))
    }

    /// Whether a checkpoint stands at this version.
    ///
    /// # Errors
    /// What the store says.
    pub async fn has_checkpoint(&self) -> Result<bool> {
        let log = self.location.child(LOG);
        let start = format!("{:020}.checkpoint.", self.version());
        let names = control::list(&log).await?;
        Ok(names.iter().any(|name| name.starts_with(&start)))
    }

    /// Writes a checkpoint of this version, and drops log entries that are older than the log's
    /// retention (30 days, unless the table says otherwise) and not needed to read a later version.
    ///
    /// # Errors
    /// What the store says.
    pub async fn checkpoint(&self) -> Result<()> {
        let failed = delta_error(&self.location);
        create_checkpoint(&self.table, None)
            .await
            .map_err(&failed)?;
        cleanup_metadata(&self.table, None).await.map_err(&failed)?;
        Ok(())
    }

    /// Files of this version that are not in the store any more.
    ///
    /// # Errors
    /// What the store says.
    pub async fn missing_files(&self) -> Result<Vec<String>> {
        let listed = self.location.store().list(Some(self.location.path()));
        let there: HashSet<Path> = listed.map_ok(|file| file.location).try_collect().await?;
        let files = self.files()?.into_iter().map(|file| file.meta.location);
        let missing = files.filter(|path| !there.contains(path));
        Ok(missing
            .map(|path| address(self.location.url(), &path))
            .collect())
    }
}

/// Deletes files; one that is gone already is fine.
///
/// # Errors
/// What the store says.
pub async fn delete(location: &Location, files: &[StoredFile]) -> Result<()> {
    let paths = files.iter().map(|file| Ok(file.location.clone()));
    let paths = futures::stream::iter(paths.collect::<Vec<_>>());
    staging::delete(location.store(), paths.boxed()).await?;
    // object stores have no folders; local ones would be left empty
    if location.url().scheme() == "file" {
        let local = LocalFileSystem::new();
        for file in files {
            let path = local.path_to_filesystem(&file.location)?;
            for parent in path.ancestors().skip(1).take(EMPTY_PARENTS) {
                if tokio::fs::remove_dir(parent).await.is_err() {
                    break;
                }
            }
        }
    }
    Ok(())
}
