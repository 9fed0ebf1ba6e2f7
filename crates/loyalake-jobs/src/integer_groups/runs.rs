//! States of groups on disk, for which there was no memory.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{SortOptions, sort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::metrics::{BaselineMetrics, SpillMetrics};
use datafusion::physical_plan::sorts::streaming_merge::{SortedSpillFile, StreamingMergeBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SpillManager};
use futures::stream;

/// Runs that are sorted by key.
pub(super) struct Runs {
    spill: SpillManager,
    files: Vec<SortedSpillFile>,
    batch_size: usize,
}

impl Runs {
    /// No runs yet of states in columns of `schema`.
    pub(super) fn new(context: &TaskContext, metrics: SpillMetrics, schema: SchemaRef) -> Self {
        let config = context.session_config();
        let spill = SpillManager::new(context.runtime_env(), metrics, schema)
            .with_compression_type(config.spill_compression());
        Self {
            spill,
            files: Vec::new(),
            batch_size: config.batch_size(),
        }
    }

    /// The columns of states.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.spill.schema()
    }

    /// Whether nothing was put on disk.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Puts the states of groups on disk.
    pub(super) fn add(&mut self, states: &RecordBatch) -> Result<()> {
        let sorted = sort_to_indices(states.column(0), Some(SortOptions::default()), None)?;
        let mut file = self.spill.create_in_progress_file("groups of integers")?;
        let mut largest = 0;
        for begin in (0..sorted.len()).step_by(self.batch_size) {
            let length = self.batch_size.min(sorted.len() - begin);
            let batch = take_record_batch(states, &sorted.slice(begin, length))?;
            largest = largest.max(file.append_batch(&batch)?);
        }
        if let Some(file) = file.finish()? {
            self.files.push(SortedSpillFile {
                file,
                max_record_batch_memory: largest,
            });
        }
        Ok(())
    }

    /// The groups of all runs, as `grouping` makes them from states that come sorted.
    pub(super) fn merge(
        self,
        grouping: &AggregateExec,
        context: Arc<TaskContext>,
        metrics: BaselineMetrics,
        reservation: MemoryReservation,
    ) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(self.schema());
        let key = Column::new(schema.field(0).name(), 0);
        let by_key = PhysicalSortExpr::new_default(Arc::new(key));
        let by_key = LexOrdering::from([by_key]);
        let merged = StreamingMergeBuilder::new()
            .with_schema(Arc::clone(&schema))
            .with_spill_manager(self.spill)
            .with_sorted_spill_files(self.files)
            .with_expressions(&by_key)
            .with_metrics(metrics)
            .with_batch_size(self.batch_size)
            .with_reservation(reservation)
            .build()?;
        let merged = Arc::new(Once {
            schema: Arc::clone(&schema),
            stream: Mutex::new(Some(merged)),
        });
        let merged =
            StreamingTableExec::try_new(schema, vec![merged], None, [by_key], false, None)?;
        let functions = grouping.aggr_expr().to_vec();
        let filters = vec![None; functions.len()];
        let groups = AggregateExec::try_new(
            AggregateMode::Final,
            grouping.group_expr().as_final(),
            functions,
            filters,
            Arc::new(merged),
            grouping.input_schema(),
        )?;
        groups.execute(0, context)
    }
}

/// A stream that a plan reads, once.
struct Once {
    schema: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.take().unwrap_or_else(|| {
            let read = internal_datafusion_err!("sorted states of groups are read once");
            let schema = Arc::clone(&self.schema);
            Box::pin(RecordBatchStreamAdapter::new(
                schema,
                stream::iter([Err(read)]),
            ))
        })
    }
}
