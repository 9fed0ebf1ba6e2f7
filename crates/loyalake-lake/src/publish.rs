//! Commits to one table: a date replaced, or a version restored.
//!
//! Each is one Delta commit of a [`Publication`], so no reader of the table ever sees anything
//! between, and each is made once however often it is tried.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use deltalake::DeltaTableError;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{
    Action, Add, MetadataExt, Protocol, Remove, StructType, Transaction, new_metadata,
};
use deltalake::protocol::{DeltaOperation, SaveMode};
use object_store::path::Path;
use serde_json::Value;

use crate::delta::{
    APPLICATION, DeltaVersion, PARTITION, delta_error, delta_error_named, log_store,
};
use crate::staging::{Staged, stored_schema};
use crate::{LakeError, Location, Publication, Result};

/// How often a commit is tried again after somebody else's commits.
const COMMIT_ATTEMPTS: i32 = 10;

/// Each table's log is summed up after so many commits: whoever opens the table reads all that came
/// later, and each of them takes half a megabyte.
const CHECKPOINT_INTERVAL: (&str, &str) = ("delta.checkpointInterval", "10");

/// What a commit says of itself in the table's history.
#[derive(Debug, Clone)]
pub struct CommitNote {
    /// The date that is replaced, as `YYYY-MM-DD`.
    pub date: String,
    /// Anything else, such as run id and code version.
    pub metadata: HashMap<String, Value>,
}

/// A commit that is to be made.
pub(crate) struct Commit {
    /// The publication that it is part of.
    pub(crate) number: i64,
    /// What it does, for the table's history.
    pub(crate) operation: DeltaOperation,
    /// Anything else for the table's history.
    pub(crate) metadata: HashMap<String, Value>,
}

impl DeltaVersion {
    /// The add actions of all its files.
    pub(crate) fn adds(&self) -> Result<Vec<Add>> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let files = state.log_data();
        Ok(files.iter().map(|view| add_of(&view)).collect())
    }

    /// The add actions of one date.
    pub(crate) fn adds_of(&self, date: &str) -> Result<Vec<Add>> {
        let mut adds = self.adds()?;
        adds.retain(|add| {
            let value = add.partition_values.get(PARTITION);
            value.and_then(Option::as_deref) == Some(date)
        });
        Ok(adds)
    }
}

pub(crate) fn add_of(view: &deltalake::kernel::LogicalFileView) -> Add {
    Add {
        path: view.path().into_owned(),
        partition_values: view.partition_values_map(),
        size: view.size(),
        modification_time: view.modification_time(),
        data_change: true,
        stats: view.stats(),
        ..Add::default()
    }
}

impl Publication {
    /// Makes the staged files the rows of `note.date` in `table`, in place of the rows that the
    /// date had. Returns the table's new version.
    ///
    /// # Errors
    /// [`LakeError::SchemaChanged`] and [`LakeError::UnsupportedType`] for columns that the table
    /// can't take, [`LakeError::Fenced`] when a later publication has settled this one.
    pub async fn replace_date(
        &self,
        table: &str,
        staged: &Staged,
        note: &CommitNote,
    ) -> Result<u64> {
        let location = self.output().child(table);
        let added = new_adds(&location, staged, note)?;
        let commit = Commit {
            number: self.number(),
            operation: DeltaOperation::Write {
                mode: SaveMode::Overwrite,
                partition_by: Some(vec![PARTITION.to_owned()]),
                predicate: Some(format!("{PARTITION} = '{}'", note.date)),
            },
            metadata: note.metadata.clone(),
        };
        let version = change(&location, &commit, |current, _| {
            let removed = match current {
                Some(current) => current.adds_of(&note.date)?,
                None => Vec::new(),
            };
            let mut actions = schema_actions(current, &staged.schema, table)?;
            actions.extend(removed.iter().map(|add| Action::Remove(remove_of(add))));
            actions.extend(added.iter().cloned().map(Action::Add));
            Ok(Some(actions))
        });
        // a change that is always wanted has a version
        Ok(version.await?.unwrap_or_default())
    }
}

/// Gives a table the files again that it had at version `target`; none: it was not there. False,
/// and nothing done, if the table's last publication is `unless`.
pub(crate) async fn restore(
    location: &Location,
    target: Option<u64>,
    number: i64,
    unless: Option<i64>,
) -> Result<bool> {
    if DeltaVersion::open(location, None).await?.is_none() {
        return Ok(true);
    }
    let before = match target {
        Some(version) => DeltaVersion::open(location, Some(version)).await?,
        None => None,
    };
    let before = match before {
        Some(version) => version.adds()?,
        None => Vec::new(),
    };
    let commit = Commit {
        number,
        operation: DeltaOperation::Restore {
            version: target,
            datetime: None,
        },
        metadata: HashMap::new(),
    };
    let restored = change(location, &commit, |current, publication| {
        if unless == Some(publication) {
            return Ok(None);
        }
        let now = match current {
            Some(current) => current.adds()?,
            None => Vec::new(),
        };
        let removes = difference(&now, &before).map(|add| Action::Remove(remove_of(add)));
        let adds = difference(&before, &now).cloned().map(Action::Add);
        Ok(Some(removes.chain(adds).collect()))
    });
    Ok(restored.await?.is_some())
}

/// Makes a commit, once: `actions` says what it holds on top of a version whose last publication is
/// given, or None for nothing. Returns the new version.
pub(crate) async fn change(
    location: &Location,
    commit: &Commit,
    actions: impl Fn(Option<&DeltaVersion>, i64) -> Result<Option<Vec<Action>>>,
) -> Result<Option<u64>> {
    for _ in 0..COMMIT_ATTEMPTS {
        let current = DeltaVersion::open(location, None).await?;
        let publication = match &current {
            Some(current) => current.publication().await?,
            None => 0,
        };
        if let Some(current) = &current
            && publication == commit.number
        {
            // an attempt before this one was made, although its answer was lost
            return Ok(Some(current.version()));
        }
        if publication > commit.number {
            return Err(LakeError::Fenced {
                location: location.url().to_string(),
            });
        }
        let Some(actions) = actions(current.as_ref(), publication)? else {
            return Ok(None);
        };
        let done = attempt(location, current.as_ref(), actions, commit).await;
        match done {
            Ok(Some(version)) => return Ok(Some(version)),
            Ok(None) => {}
            Err(error) => {
                return made_nevertheless(location, commit)
                    .await
                    .ok_or(error)
                    .map(Some);
            }
        }
    }
    Err(delta_error(location)(
        TransactionError::MaxCommitAttempts(COMMIT_ATTEMPTS).into(),
    ))
}

/// The version of a commit that was made although its attempt ended with an error.
async fn made_nevertheless(location: &Location, commit: &Commit) -> Option<u64> {
    let current = DeltaVersion::open(location, None).await.ok()??;
    let is_made = current.publication().await.ok()? == commit.number;
    is_made.then(|| current.version())
}

/// One attempt: None when somebody else committed first.
async fn attempt(
    location: &Location,
    current: Option<&DeltaVersion>,
    actions: Vec<Action>,
    commit: &Commit,
) -> Result<Option<u64>> {
    let properties = CommitProperties::default()
        .with_metadata(commit.metadata.clone())
        .with_application_transaction(Transaction::new(APPLICATION, commit.number))
        // the ledger names versions, so their log must stay
        .with_cleanup_expired_logs(Some(false))
        .with_max_retries(0);
    let state = current
        .map(|version| version.table.snapshot())
        .transpose()
        .map_err(delta_error(location))?;
    let store = match current {
        Some(version) => version.table.log_store(),
        None => log_store(location),
    };
    let done = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(
            state.map(|state| state as _),
            store,
            commit.operation.clone(),
        )
        .await;
    match done {
        Ok(finalized) => Ok(Some(finalized.version())),
        Err(DeltaTableError::Transaction {
            source:
                TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
        }) => Ok(None),
        Err(error) => Err(delta_error(location)(error)),
    }
}

/// The files of `one` that are not among `others`.
fn difference<'a>(one: &'a [Add], others: &'a [Add]) -> impl Iterator<Item = &'a Add> {
    let paths: HashSet<&str> = others.iter().map(|add| add.path.as_str()).collect();
    one.iter()
        .filter(move |add| !paths.contains(add.path.as_str()))
}

pub(crate) fn new_adds(
    location: &Location,
    staged: &Staged,
    note: &CommitNote,
) -> Result<Vec<Add>> {
    let values = HashMap::from([(PARTITION.to_owned(), Some(note.date.clone()))]);
    let mut adds = Vec::new();
    for file in &staged.files {
        let below = file.meta.location.prefix_match(location.path());
        let relative: Path =
            below
                .map(Iterator::collect)
                .ok_or_else(|| LakeError::BadLocation {
                    location: file.meta.location.to_string(),
                    reason: format!("a staged file must be below its table {}", location.url()),
                })?;
        adds.push(Add {
            path: relative.to_string(),
            partition_values: values.clone(),
            size: i64::try_from(file.meta.size).unwrap_or(i64::MAX),
            modification_time: file.meta.last_modified.timestamp_millis(),
            data_change: true,
            stats: file
                .rows
                .map(|rows| serde_json::json!({ "numRecords": rows }).to_string()),
            ..Add::default()
        });
    }
    Ok(adds)
}

pub(crate) fn remove_of(add: &Add) -> Remove {
    Remove {
        path: add.path.clone(),
        data_change: true,
        deletion_timestamp: Some(chrono::Utc::now().timestamp_millis()),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
        ..Remove::default()
    }
}

/// What the commit has to say of the columns: all of them for a new table, new ones for an old
/// table.
fn schema_actions(
    current: Option<&DeltaVersion>,
    staged: &Schema,
    table: &str,
) -> Result<Vec<Action>> {
    let mut fields: Vec<FieldRef> = stored_schema(staged).fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(PARTITION, DataType::Date32, true)));
    let Some(current) = current else {
        let schema = delta_schema(&fields, table)?;
        let metadata = new_metadata(&schema, [PARTITION], [CHECKPOINT_INTERVAL])
            .map_err(|error| delta_error_named(table)(error.into()))?;
        let protocol: Protocol = serde_json::from_value(
            serde_json::json!({"minReaderVersion": 1, "minWriterVersion": 2}),
        )
        .map_err(|source| delta_error_named(table)(source.into()))?;
        return Ok(vec![Action::Protocol(protocol), Action::Metadata(metadata)]);
    };
    let published = current.schema()?;
    let mut merged: Vec<FieldRef> = published.fields().iter().cloned().collect();
    for field in &fields {
        match published.field_with_name(field.name()) {
            Ok(old)
                if stored_schema(&Schema::new(vec![old.clone()])).field(0) == field.as_ref() => {}
            Ok(old) => {
                return Err(LakeError::SchemaChanged {
                    table: table.to_owned(),
                    column: field.name().clone(),
                    found: field.data_type().to_string(),
                    published: old.data_type().to_string(),
                });
            }
            Err(_) => merged.push(Arc::clone(field)),
        }
    }
    if merged.len() == published.fields().len() {
        return Ok(Vec::new());
    }
    let state = current.table.snapshot().map_err(delta_error_named(table))?;
    let metadata = state
        .metadata()
        .clone()
        .with_schema(&delta_schema(&merged, table)?)
        .map_err(|error| delta_error_named(table)(error.into()))?;
    Ok(vec![Action::Metadata(metadata)])
}

fn delta_schema(fields: &[FieldRef], table: &str) -> Result<StructType> {
    for field in fields {
        if !fits_delta(field.data_type()) {
            return Err(LakeError::UnsupportedType {
                table: table.to_owned(),
                column: field.name().clone(),
                found: field.data_type().to_string(),
            });
        }
    }
    let schema = Schema::new(fields.to_vec());
    (&schema)
        .try_into_kernel()
        .map_err(|error| delta_error_named(table)(DeltaTableError::Arrow { source: error }))
}

fn fits_delta(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) => fits_delta(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| fits_delta(field.data_type())),
        DataType::Timestamp(_, zone) => zone.is_some(),
        DataType::Null
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Interval(_)
        | DataType::Duration(_)
        | DataType::Time32(_)
        | DataType::Time64(_) => false,
        _ => true,
    }
}
