//! Changing the files of a table outside a run: merging small ones, leaving rows out, dropping
//! dates, going back.

use std::collections::{HashMap, HashSet};

use deltalake::kernel::Action;
use deltalake::protocol::DeltaOperation;
use object_store::path::Path;
use serde_json::Value;

use crate::delta::DeltaVersion;
use crate::publish::{Commit, CommitNote, change, new_adds, remove_of, restore};
use crate::staging::Staged;
use crate::{DataFile, LakeError, Publication, Result};

/// Files that leave a table and files that come instead, in one commit.
#[derive(Debug, Clone, Default)]
pub struct Rewrite {
    /// Files of the table's newest version.
    pub removed: Vec<DataFile>,
    /// Staged files, by the date of their rows.
    pub added: Vec<(String, Staged)>,
    /// Whether the table's rows are the same before and after.
    pub keeps_rows: bool,
}

impl Rewrite {
    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    fn actions(&self, current: &DeltaVersion) -> Result<Vec<Action>> {
        let leaves: HashSet<&Path> = self
            .removed
            .iter()
            .map(|file| &file.meta.location)
            .collect();
        let mut actions = Vec::new();
        for add in current.adds()? {
            if leaves.contains(&current.absolute(&Path::from(add.path.as_str()))) {
                let mut remove = remove_of(&add);
                remove.data_change = !self.keeps_rows;
                actions.push(Action::Remove(remove));
            }
        }
        if actions.len() != leaves.len() {
            return Err(LakeError::Overtaken {
                location: current.location.url().to_string(),
            });
        }
        for (date, staged) in &self.added {
            let note = CommitNote {
                date: date.clone(),
                metadata: HashMap::new(),
            };
            for mut add in new_adds(&current.location, staged, &note)? {
                add.data_change = !self.keeps_rows;
                actions.push(Action::Add(add));
            }
        }
        Ok(actions)
    }
}

impl Publication {
    /// Commits a rewrite of `table`, which must have been made of its newest version. Returns the
    /// new version.
    ///
    /// # Errors
    /// [`LakeError::Overtaken`] when another program has changed the table, [`LakeError::Fenced`]
    /// when a later publication has settled this one, and what the store says.
    pub async fn rewrite(
        &self,
        table: &str,
        rewrite: &Rewrite,
        metadata: HashMap<String, Value>,
    ) -> Result<u64> {
        let commit = Commit {
            number: self.number(),
            operation: operation(rewrite),
            metadata,
        };
        let location = self.output().child(table);
        let version = change(&location, &commit, |current, _| {
            current.map(|current| rewrite.actions(current)).transpose()
        });
        Ok(version.await?.unwrap_or_default())
    }

    /// Gives `table` the files again that it had at a version; none: it was not there.
    ///
    /// # Errors
    /// As for [`Publication::rewrite`].
    pub async fn restore(&self, table: &str, version: Option<u64>) -> Result<()> {
        restore(&self.output().child(table), version, self.number(), None).await?;
        Ok(())
    }
}

/// What the table's history says of a rewrite; never whose rows were left out.
fn operation(rewrite: &Rewrite) -> DeltaOperation {
    if rewrite.keeps_rows {
        DeltaOperation::Optimize {
            predicate: None,
            target_size: 0,
        }
    } else {
        DeltaOperation::Delete { predicate: None }
    }
}
