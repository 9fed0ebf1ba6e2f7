//! Replacing one date of a Delta table in a single commit.
//!
//! [`publish`] adds the staged files of a date and removes the files that the date had, in one
//! commit; no reader ever sees anything between. Two runs of one date exclude each other: a commit
//! is only made on top of a version whose files of that date are the ones that the run saw when it
//! started. Commits of other dates in between are fine.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use deltalake::DeltaTableError;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{Action, Add, MetadataExt, Protocol, Remove, StructType, new_metadata};
use deltalake::protocol::{DeltaOperation, SaveMode};
use object_store::path::Path;
use serde_json::Value;

use crate::delta::{DeltaVersion, PARTITION, delta_error, delta_error_named, log_store};
use crate::staging::{Staged, stored_schema};
use crate::{LakeError, Location, Result};

/// How often a commit is tried again after others committed other dates.
const COMMIT_ATTEMPTS: i32 = 10;

/// What a commit says of itself in the table's history.
#[derive(Debug, Clone)]
pub struct CommitNote {
    /// The table's name, for messages.
    pub table: String,
    /// The date that is replaced, as `YYYY-MM-DD`.
    pub date: String,
    /// Anything else, such as run id and code version.
    pub metadata: HashMap<String, Value>,
}

/// A commit that was made, and how to take it back.
#[derive(Debug)]
pub struct Published {
    /// The table's new version.
    pub version: u64,
    note: CommitNote,
    location: Location,
    added: Vec<Add>,
    removed: Vec<Add>,
}

impl DeltaVersion {
    /// The add actions of one date.
    fn adds_of(&self, date: &str) -> Result<Vec<Add>> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let is_of_date = |values: &HashMap<String, Option<String>>| {
            values.get(PARTITION).and_then(Option::as_deref) == Some(date)
        };
        let files = state.log_data();
        let views = files
            .iter()
            .filter(|view| is_of_date(&view.partition_values_map()));
        Ok(views.map(|view| add_of(&view)).collect())
    }
}

fn add_of(view: &deltalake::kernel::LogicalFileView) -> Add {
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

/// Makes the staged files the rows of `note.date`, in place of the rows that the date had in
/// `base`, the version that the run saw when it started.
///
/// # Errors
/// [`LakeError::LostRace`] when another run changed the date since `base`,
/// [`LakeError::SchemaChanged`] and [`LakeError::UnsupportedType`] for columns that the table
/// can't take.
pub async fn publish(
    location: &Location,
    base: Option<&DeltaVersion>,
    staged: &Staged,
    note: &CommitNote,
) -> Result<Published> {
    let removed = base
        .map(|base| base.adds_of(&note.date))
        .transpose()?
        .unwrap_or_default();
    let added = new_adds(location, staged, note)?;
    let published = |version| Published {
        version,
        note: note.clone(),
        location: location.clone(),
        added: added.clone(),
        removed: removed.clone(),
    };
    for _ in 0..COMMIT_ATTEMPTS {
        let current = DeltaVersion::open(location, None).await?;
        let found = found_adds(current.as_ref(), &note.date)?;
        refuse_lost_race(&removed, &found, note)?;
        let mut actions = schema_actions(current.as_ref(), &staged.schema, &note.table)?;
        actions.extend(removed.iter().map(|add| Action::Remove(remove_of(add))));
        actions.extend(added.iter().cloned().map(Action::Add));
        let done = commit(location, current.as_ref(), actions, note).await;
        if let Ok(Some(version)) = done {
            return Ok(published(version));
        }
        // a commit may have landed although its answer was lost
        if let Some(current) = DeltaVersion::open(location, None).await?
            && !added.is_empty()
            && are_same(&current.adds_of(&note.date)?, &added)
        {
            return Ok(published(current.version()));
        }
        done?;
    }
    Err(delta_error(location)(
        TransactionError::MaxCommitAttempts(COMMIT_ATTEMPTS).into(),
    ))
}

impl Published {
    /// The table's name.
    pub fn table(&self) -> &str {
        &self.note.table
    }

    /// Takes the commit back: the date has the rows again that it had before.
    ///
    /// # Errors
    /// As for [`publish`].
    pub async fn undo(&self) -> Result<()> {
        for _ in 0..COMMIT_ATTEMPTS {
            let current = DeltaVersion::open(&self.location, None).await?;
            let found = found_adds(current.as_ref(), &self.note.date)?;
            refuse_lost_race(&self.added, &found, &self.note)?;
            let removes = self.added.iter().map(|add| Action::Remove(remove_of(add)));
            let adds = self.removed.iter().cloned().map(Action::Add);
            let actions = removes.chain(adds).collect();
            if commit(&self.location, current.as_ref(), actions, &self.note)
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(delta_error(&self.location)(
            TransactionError::MaxCommitAttempts(COMMIT_ATTEMPTS).into(),
        ))
    }
}

/// One attempt: None when somebody else committed first.
async fn commit(
    location: &Location,
    current: Option<&DeltaVersion>,
    actions: Vec<Action>,
    note: &CommitNote,
) -> Result<Option<u64>> {
    let operation = DeltaOperation::Write {
        mode: SaveMode::Overwrite,
        partition_by: Some(vec![PARTITION.to_owned()]),
        predicate: Some(format!("{PARTITION} = '{}'", note.date)),
    };
    let properties = CommitProperties::default()
        .with_metadata(note.metadata.clone())
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
        .build(state.map(|state| state as _), store, operation)
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

/// The add actions of a date; none where no table is.
fn found_adds(current: Option<&DeltaVersion>, date: &str) -> Result<Vec<Add>> {
    let found = current.map(|table| table.adds_of(date)).transpose()?;
    Ok(found.unwrap_or_default())
}

fn are_same(one: &[Add], other: &[Add]) -> bool {
    let contains = |add: &Add| other.iter().any(|same| same.path == add.path);
    one.len() == other.len() && one.iter().all(contains)
}

/// The winner's run id stands in the paths of its files.
fn refuse_lost_race(expected: &[Add], found: &[Add], note: &CommitNote) -> Result<()> {
    if are_same(expected, found) {
        return Ok(());
    }
    let is_strange = |add: &&Add| expected.iter().all(|other| other.path != add.path);
    let stranger = found.iter().find(is_strange);
    let other = stranger.and_then(|add| add.path.split('/').nth_back(1));
    Err(LakeError::LostRace {
        table: note.table.clone(),
        date: note.date.clone(),
        other: other.unwrap_or("another").to_owned(),
    })
}

fn new_adds(location: &Location, staged: &Staged, note: &CommitNote) -> Result<Vec<Add>> {
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

fn remove_of(add: &Add) -> Remove {
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
        let metadata = new_metadata(&schema, [PARTITION], [] as [(String, String); 0])
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
