//! Delta tables: the columns, files and rows of a version.
//!
//! Source: Delta transaction log protocol, reader version 1. Not here: committing, see
//! [`crate::publish`].

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use crate::{DataFile, FileTable, LakeError, Location, Result};

/// The column that published tables are partitioned by.
pub const PARTITION: &str = "as_of_date";

/// The name under which publications number their commits.
pub(crate) const APPLICATION: &str = "loyalake";

/// One version of a Delta table.
#[derive(Debug, Clone)]
pub struct DeltaVersion {
    pub(crate) location: Location,
    pub(crate) table: DeltaTable,
}

impl DeltaVersion {
    /// The newest version of the table at `location`, or the one that is asked for. None where no
    /// table is.
    ///
    /// # Errors
    /// A log that can't be read, or table features that this reader lacks.
    pub async fn open(location: &Location, version: Option<u64>) -> Result<Option<Self>> {
        let log = location.path().clone().join("_delta_log");
        if location
            .store()
            .list(Some(&log))
            .try_next()
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let mut table = DeltaTable::new(log_store(location));
        let loaded = match version {
            Some(version) => table.load_version(version).await,
            None => table.load().await,
        };
        loaded.map_err(delta_error(location))?;
        let opened = Self {
            location: location.clone(),
            table,
        };
        opened.refuse_unknown_features()?;
        Ok(Some(opened))
    }

    /// Its number.
    pub fn version(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// The number of the publication that made the last commit of ours; 0 where there is none.
    pub(crate) async fn publication(&self) -> Result<i64> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let log = self.table.log_store();
        let number = state.transaction_version(log.as_ref(), APPLICATION).await;
        Ok(number
            .map_err(delta_error(&self.location))?
            .unwrap_or_default())
    }

    /// Its columns, partition columns last.
    ///
    /// # Errors
    /// A log that can't be read.
    pub fn schema(&self) -> Result<SchemaRef> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let (partitions, columns) = self.split_columns(&state.snapshot().arrow_schema())?;
        Ok(Arc::new(Schema::new([columns, partitions].concat())))
    }

    /// Its rows as a table that queries can read.
    ///
    /// # Errors
    /// A log that can't be read, partition values that are not of their column's type.
    pub fn table(&self) -> Result<FileTable> {
        self.table_of(self.files()?)
    }

    /// Its files.
    ///
    /// # Errors
    /// As for [`DeltaVersion::table`].
    pub fn files(&self) -> Result<Vec<DataFile>> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let (partitions, _) = self.split_columns(&state.snapshot().arrow_schema())?;
        self.data_files(&partitions)
    }

    /// Number of rows of one date.
    ///
    /// # Errors
    /// As for [`DeltaVersion::table`].
    pub fn rows_of(&self, date: &str) -> Result<usize> {
        let files = self.files()?;
        let is_of_date = |file: &&DataFile| {
            let mut values = file.partition_values.iter();
            values.any(|value| value.to_string() == date)
        };
        let rows = files.iter().filter(is_of_date).filter_map(|file| file.rows);
        Ok(rows.sum())
    }

    /// The rows of some of its files.
    ///
    /// # Errors
    /// As for [`DeltaVersion::table`].
    pub fn table_of(&self, files: Vec<DataFile>) -> Result<FileTable> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let (partitions, columns) = self.split_columns(&state.snapshot().arrow_schema())?;
        let file_schema = Arc::new(Schema::new(columns));
        let store_url = self.location.store_url()?;
        Ok(FileTable::new(store_url, file_schema, partitions, files))
    }

    /// A path in the store, of a path in the table.
    pub(crate) fn absolute(&self, relative: &Path) -> Path {
        let parts = self.location.path().parts();
        parts.chain(relative.parts()).collect()
    }

    fn data_files(&self, partitions: &[FieldRef]) -> Result<Vec<DataFile>> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let mut files = Vec::new();
        for view in state.log_data().iter() {
            let texts = view.partition_values_map();
            let values = partitions.iter().map(|field| {
                match texts.get(field.name()).and_then(Option::as_ref) {
                    Some(text) => ScalarValue::try_from_string(text.clone(), field.data_type()),
                    None => ScalarValue::try_from(field.data_type()),
                }
            });
            let relative = view.object_store_path();
            files.push(DataFile {
                meta: ObjectMeta {
                    location: self.absolute(&relative),
                    last_modified: view.modification_datetime().unwrap_or_default(),
                    size: u64::try_from(view.size()).unwrap_or_default(),
                    e_tag: None,
                    version: None,
                },
                rows: view.num_records(),
                partition_values: values.collect::<std::result::Result<_, _>>()?,
            });
        }
        files.sort_by(|one, two| one.meta.location.cmp(&two.meta.location));
        Ok(files)
    }

    /// Partition columns and the columns that the files hold.
    fn split_columns(&self, schema: &Schema) -> Result<(Vec<FieldRef>, Vec<FieldRef>)> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let partitions = state.metadata().partition_columns();
        Ok(schema
            .fields()
            .iter()
            .cloned()
            .partition(|field| partitions.contains(field.name())))
    }

    fn refuse_unknown_features(&self) -> Result<()> {
        let state = self.table.snapshot().map_err(delta_error(&self.location))?;
        let unsupported = |feature: &str| LakeError::UnsupportedDelta {
            location: self.location.url().to_string(),
            feature: feature.to_owned(),
        };
        let configuration = state.metadata().configuration();
        let mapping = configuration.get("delta.columnMapping.mode");
        if mapping.is_some_and(|mode| mode != "none") {
            return Err(unsupported("column mapping"));
        }
        if state
            .log_data()
            .iter()
            .any(|file| file.deletion_vector_descriptor().is_some())
        {
            return Err(unsupported("deletion vectors"));
        }
        Ok(())
    }
}

/// The log of the table at `location`.
pub(crate) fn log_store(location: &Location) -> LogStoreRef {
    let prefixed = PrefixStore::new(Arc::clone(location.store()), location.path().clone());
    let root = Arc::clone(location.store());
    default_logstore(
        Arc::new(prefixed),
        root,
        location.url(),
        &StorageConfig::default(),
    )
}

pub(crate) fn delta_error(location: &Location) -> impl Fn(DeltaTableError) -> LakeError {
    delta_error_named(location.url().as_str())
}

pub(crate) fn delta_error_named(name: &str) -> impl Fn(DeltaTableError) -> LakeError {
    let location = name.to_owned();
    move |source| LakeError::Delta {
        location: location.clone(),
        source: Box::new(source),
    }
}
