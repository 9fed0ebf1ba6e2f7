//! The node that writes what it reads to Parquet files, wherever the plan runs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::{Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use super::{open_writer, stored_schema, to_stored, unwritten};
use crate::DataFile;

/// Hears of written rows.
pub(super) type OnRows = Arc<dyn Fn(usize) + Send + Sync>;

/// Writes each partition of its input to a file, if it has rows, and returns a row about the file.
///
/// A file's name is used once: whoever runs the plan may run a part of it again, and only the
/// files that come back count.
#[derive(Clone)]
pub struct StageExec {
    input: Arc<dyn ExecutionPlan>,
    store: ObjectStoreUrl,
    folder: Path,
    progress: Progress,
    properties: Arc<PlanProperties>,
}

/// What is heard of rows that are written in this process.
#[derive(Clone)]
pub(super) struct Progress {
    heard: Arc<AtomicUsize>,
    on_rows: OnRows,
}

impl StageExec {
    /// Writes `input` to files in a folder of a store.
    pub fn new(input: Arc<dyn ExecutionPlan>, store: ObjectStoreUrl, folder: Path) -> Self {
        Self::with_progress(input, store, folder, Progress::new(Arc::new(|_| {})))
    }

    pub(super) fn with_progress(
        input: Arc<dyn ExecutionPlan>,
        store: ObjectStoreUrl,
        folder: Path,
        progress: Progress,
    ) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(report_schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            input,
            store,
            folder,
            progress,
            properties: Arc::new(properties),
        }
    }

    /// The store that is written to.
    pub fn store(&self) -> &ObjectStoreUrl {
        &self.store
    }

    /// The folder that is written to.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Progress {
    pub(super) fn new(on_rows: OnRows) -> Self {
        let heard = Arc::default();
        Self { heard, on_rows }
    }

    fn hear(&self, rows: usize) {
        self.heard.fetch_add(rows, Ordering::Relaxed);
        (self.on_rows)(rows);
    }

    /// Says that so many rows are written, if that is news: in another process, that is.
    pub(super) fn catch_up(&self, rows: usize) {
        let news = rows.saturating_sub(self.heard.load(Ordering::Relaxed));
        if news > 0 {
            self.hear(news);
        }
    }
}

impl fmt::Debug for StageExec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, formatter)
    }
}

impl DisplayAs for StageExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StageExec: {}{}", self.store, self.folder)
    }
}

impl ExecutionPlan for StageExec {
    fn name(&self) -> &'static str {
        "StageExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("StageExec has one input".to_owned()))?;
        let (store, folder) = (self.store.clone(), self.folder.clone());
        let progress = self.progress.clone();
        Ok(Arc::new(Self::with_progress(
            input, store, folder, progress,
        )))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let store = context.runtime_env().object_store(&self.store)?;
        let rows = self.input.execute(partition, context)?;
        let name = format!("part-{partition:05}-{}.parquet", Uuid::now_v7().simple());
        let path = self.folder.clone().join(name);
        let written = write_file(rows, store, path, self.progress.clone());
        let reports = stream::once(written).try_filter_map(async |report| Ok(report));
        let reports = RecordBatchStreamAdapter::new(report_schema(), reports.boxed());
        Ok(Box::pin(reports))
    }
}

/// Writes one stream to one file, or nothing when the stream has no rows.
async fn write_file(
    mut stream: SendableRecordBatchStream,
    store: Arc<dyn ObjectStore>,
    path: Path,
    progress: Progress,
) -> Result<Option<RecordBatch>> {
    let schema = Arc::new(stored_schema(&stream.schema()));
    let mut rows = 0;
    let mut writer = None;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(open_writer(&store, &path, &schema)?),
        };
        let stored = to_stored(&batch, &schema)?;
        writer.write(&stored).await.map_err(unwritten(&path))?;
        rows += batch.num_rows();
        progress.hear(batch.num_rows());
    }
    let Some(writer) = writer else {
        return Ok(None);
    };
    writer.close().await.map_err(unwritten(&path))?;
    let meta = store.head(&path).await?;
    Ok(Some(report(&meta, rows)?))
}

/// The columns of a row about a file.
fn report_schema() -> SchemaRef {
    let number = |name| Field::new(name, DataType::Int64, false);
    Arc::new(Schema::new(vec![
        Field::new("path", DataType::Utf8, false),
        number("bytes"),
        number("written_at"),
        number("rows"),
    ]))
}

fn report(meta: &ObjectMeta, rows: usize) -> Result<RecordBatch> {
    let number = |value: i64| Arc::new(Int64Array::from(vec![value])) as Arc<dyn Array>;
    let path = StringArray::from(vec![meta.location.as_ref()]);
    let columns = vec![
        Arc::new(path) as Arc<dyn Array>,
        number(meta.size.cast_signed()),
        number(meta.last_modified.timestamp_micros()),
        number(rows.cast_signed() as i64),
    ];
    Ok(RecordBatch::try_new(report_schema(), columns)?)
}

/// The files that rows are about.
pub(super) fn reported(reports: &RecordBatch) -> Result<Vec<DataFile>> {
    let columns = |place: usize| reports.column(place).as_primitive::<Int64Type>();
    let paths = reports.column(0).as_string::<i32>();
    let (bytes, written_at, rows) = (columns(1), columns(2), columns(3));
    let file = |row: usize| {
        Ok(DataFile {
            meta: ObjectMeta {
                location: Path::parse(paths.value(row)).map_err(object_store::Error::from)?,
                last_modified: DateTime::from_timestamp_micros(written_at.value(row))
                    .unwrap_or_default(),
                size: bytes.value(row).cast_unsigned(),
                e_tag: None,
                version: None,
            },
            rows: usize::try_from(rows.value(row)).ok(),
            partition_values: Vec::new(),
        })
    };
    (0..reports.num_rows()).map(file).collect()
}
