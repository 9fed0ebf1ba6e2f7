//! Writing the result of a plan to Parquet files that no reader sees yet.
//!
//! Not here: making them visible, see [`crate::delta`].

mod node;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit,
};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::parquet::arrow::AsyncArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::{DataFile, Engine, FileTable, LakeError, Location, Result};
use node::Progress;
pub use node::StageExec;

/// Rows of a row group: small enough for point look-ups, large enough to compress.
const ROW_GROUP_ROWS: usize = 131_072;

/// How many times its share the largest part has, at most, of rows that are divided evenly.
const UNEVEN: usize = 2;

/// Folders above a removed one that may be empty then: date, table, lake.
const EMPTY_PARENTS: usize = 3;

/// The files of one relation, written and not published.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The folder that holds them.
    pub location: Location,
    /// Columns as the query gave them.
    pub schema: SchemaRef,
    /// The files, without partition values.
    pub files: Vec<DataFile>,
    /// The column whose hash says in which of the files a row is.
    pub divided_by: Option<usize>,
}

impl Staged {
    /// Number of rows of all files.
    pub fn rows(&self) -> usize {
        self.files.iter().filter_map(|file| file.rows).sum()
    }

    /// Size of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.meta.size).sum()
    }

    /// The staged rows as a table that queries can read.
    ///
    /// # Errors
    /// A location whose store `DataFusion` can't address.
    pub fn table(&self) -> Result<FileTable> {
        let table = FileTable::new(
            self.location.store_url()?,
            Arc::clone(&self.schema),
            Vec::new(),
            self.files.clone(),
        );
        Ok(table.divided_by(self.divided_by))
    }
}

/// What a plan gave, file by file.
#[derive(Debug)]
pub struct Written {
    /// Columns as the query gave them.
    pub schema: SchemaRef,
    /// The files, each with the partition of the plan that it is from.
    pub files: Vec<(usize, DataFile)>,
    /// What the plan said of its partitions.
    partitioning: Partitioning,
}

impl Written {
    /// All files, which are in `location`.
    pub fn staged(mut self, location: Location) -> Staged {
        self.files.sort_by(|(one, file), (two, other)| {
            let location = &file.meta.location;
            one.cmp(two)
                .then_with(|| location.cmp(&other.meta.location))
        });
        Staged {
            location,
            divided_by: self.divided_by(),
            schema: self.schema,
            files: self.files.into_iter().map(|(_, file)| file).collect(),
        }
    }

    /// The column that rows are divided by, if each part has one file, and none has much more than
    /// its share: who reads parts as they are can't share the work in another way.
    fn divided_by(&self) -> Option<usize> {
        let Partitioning::Hash(keys, parts) = &self.partitioning else {
            return None;
        };
        let [key] = &keys[..] else { return None };
        let column = key.downcast_ref::<Column>()?.index();
        let partitions = self.files.iter().map(|(partition, _)| *partition);
        let rows = || self.files.iter().filter_map(|(_, file)| file.rows);
        let is_even = rows().max()? * parts <= UNEVEN * rows().sum::<usize>();
        (partitions.eq(0..*parts) && is_even).then_some(column)
    }
}

/// Runs an arranged `plan` and writes each of its partitions to a file below `location`. `on_rows`
/// hears of rows as they are written, as soon as this process knows of them.
///
/// # Errors
/// What the query or the store says; files written so far are left to [`remove`].
pub async fn write(
    engine: &dyn Engine,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    location: &Location,
    on_rows: impl Fn(usize) + Send + Sync + 'static,
) -> Result<Written> {
    let schema = plan.schema();
    let partitioning = plan.output_partitioning().clone();
    let progress = Progress::new(Arc::new(on_rows));
    let (store, folder) = (location.store_url()?, location.path().clone());
    let stage = StageExec::with_progress(plan, store, folder, progress.clone());
    let mut reports = engine.execute_parts(Arc::new(stage), context).await?;
    let (mut files, mut rows) = (Vec::new(), 0);
    while let Some(report) = reports.next().await {
        let (partition, report) = report.map_err(own_error)?;
        for file in node::reported(&report)? {
            rows += file.rows.unwrap_or_default();
            files.push((partition, file));
        }
        progress.catch_up(rows);
    }
    Ok(Written {
        schema,
        files,
        partitioning,
    })
}

/// The error of a file that could not be written, out of the plan that wrote it.
fn own_error(error: DataFusionError) -> LakeError {
    match error {
        DataFusionError::External(source) => match source.downcast::<LakeError>() {
            Ok(own) if matches!(*own, LakeError::Write { .. }) => *own,
            Ok(own) => LakeError::Query(DataFusionError::External(own)),
            Err(source) => LakeError::Query(DataFusionError::External(source)),
        },
        error => LakeError::Query(error),
    }
}

/// Writes a file without rows, for readers who look at files to know the columns.
///
/// # Errors
/// What the store says.
pub async fn write_empty(location: &Location, schema: &SchemaRef) -> Result<Staged> {
    let path = location.path().clone().join("part-00000.parquet");
    let stored = Arc::new(stored_schema(schema));
    let writer = open_writer(location.store(), &path, &stored)?;
    writer.close().await.map_err(DataFusionError::from)?;
    let file = DataFile {
        meta: location.store().head(&path).await?,
        rows: Some(0),
        partition_values: Vec::new(),
    };
    Ok(Staged {
        location: location.clone(),
        schema: Arc::clone(schema),
        files: vec![file],
        divided_by: None,
    })
}

/// Deletes every file below `location`; a missing folder is fine.
///
/// # Errors
/// What the store says.
pub async fn remove(location: &Location) -> Result<()> {
    let store = location.store();
    let paths = store
        .list(Some(location.path()))
        .map_ok(|meta| meta.location)
        .boxed();
    delete(store, paths).await?;
    // object stores have no folders; local ones would be left empty, up to the lake
    if location.url().scheme() == "file"
        && let Ok(folder) = location.url().to_file_path()
    {
        let _ = tokio::fs::remove_dir_all(&folder).await;
        for parent in folder.ancestors().skip(1).take(EMPTY_PARENTS) {
            if tokio::fs::remove_dir(parent).await.is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// Deletes files; one that is gone already is fine: two may put the same thing in order at once.
pub(crate) async fn delete(
    store: &Arc<dyn ObjectStore>,
    paths: BoxStream<'static, object_store::Result<Path>>,
) -> Result<()> {
    let mut deleted = store.delete_stream(paths);
    while let Some(done) = deleted.next().await {
        match done {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn unwritten(path: &Path) -> impl Fn(ParquetError) -> DataFusionError {
    move |source| {
        DataFusionError::External(Box::new(LakeError::Write {
            file: path.to_string(),
            source: Box::new(source),
        }))
    }
}

fn open_writer(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    schema: &SchemaRef,
) -> Result<AsyncArrowWriter<BufWriter>, DataFusionError> {
    let properties = writer_properties(schema);
    let sink = BufWriter::new(Arc::clone(store), path.clone());
    let writer = AsyncArrowWriter::try_new(sink, Arc::clone(schema), Some(properties));
    Ok(writer?)
}

/// Dictionaries only where values repeat: looking up every amount or key costs more than writing
/// it.
fn writer_properties(schema: &Schema) -> WriterProperties {
    let builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    let distinct = schema.fields().iter().filter(|field| {
        let data_type = field.data_type();
        data_type.is_floating() || data_type.is_decimal() || *data_type == DataType::Int64
    });
    distinct
        .fold(builder, |builder, field| {
            let column = ColumnPath::from(field.name().clone());
            builder.set_column_dictionary_enabled(column, false)
        })
        .build()
}

fn to_stored(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The schema that is written: the types that every Parquet reader knows, all columns nullable.
pub(crate) fn stored_schema(schema: &Schema) -> Schema {
    Schema::new(stored_fields(schema.fields()))
}

fn stored_fields(fields: &Fields) -> Vec<FieldRef> {
    let stored = |field: &FieldRef| {
        Arc::new(Field::new(
            field.name(),
            stored_type(field.data_type()),
            true,
        ))
    };
    fields.iter().map(stored).collect()
}

fn stored_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Date64 => DataType::Date32,
        DataType::Dictionary(_, value) => stored_type(value),
        DataType::Timestamp(_, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::List(item) | DataType::LargeList(item) => {
            // Delta's name for what a list holds: published tables come back with it
            let item = stored_type(item.data_type());
            DataType::List(Arc::new(Field::new("element", item, true)))
        }
        DataType::Struct(fields) => DataType::Struct(stored_fields(fields).into()),
        other => other.clone(),
    }
}
