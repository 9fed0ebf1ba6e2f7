//! The node that groups by an integer.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_datafusion_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateInputMode, AggregateMode, AggregateOutputMode,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput, SpillMetrics,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::groups::Groups;
use super::runs::Runs;

/// Makes the groups of the node below it, which describes them and does not run.
pub struct IntegerGroupsExec {
    /// An [`AggregateExec`].
    grouping: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
}

impl IntegerGroupsExec {
    /// In place of a plan that groups by an integer, as a whole or in its last step; `None` for
    /// other plans.
    pub fn in_place_of(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
        let grouping = plan.downcast_ref::<AggregateExec>()?;
        let mut functions = grouping.aggr_expr().iter();
        let can_group = grouping.mode().output_mode() == AggregateOutputMode::Final
            && grouping.group_expr().is_single()
            && *grouping.input_order_mode() == InputOrderMode::Linear
            && grouping.limit_options().is_none()
            && key(grouping)?
                .data_type(&grouping.input().schema())
                .is_ok_and(|key| key.is_signed_integer())
            && functions.all(|function| {
                function.groups_accumulator_supported() && function.order_bys().is_empty()
            });
        can_group.then(|| {
            Arc::new(Self {
                grouping: Arc::clone(plan),
                metrics: ExecutionPlanMetricsSet::new(),
            }) as Arc<dyn ExecutionPlan>
        })
    }
}

/// What is grouped by, if it is one expression.
fn key(grouping: &AggregateExec) -> Option<&Arc<dyn PhysicalExpr>> {
    match grouping.group_expr().expr() {
        [(key, _)] => Some(key),
        _ => None,
    }
}

impl fmt::Debug for IntegerGroupsExec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, formatter)
    }
}

impl DisplayAs for IntegerGroupsExec {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IntegerGroupsExec")
    }
}

impl ExecutionPlan for IntegerGroupsExec {
    fn name(&self) -> &'static str {
        "IntegerGroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.grouping.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.grouping]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
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
        let [plan] = <[_; 1]>::try_from(children)
            .map_err(|_| internal_datafusion_err!("IntegerGroupsExec has one input"))?;
        // what has changed into something else runs by itself
        Ok(Self::in_place_of(&plan).unwrap_or(plan))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let grouping = self.grouping.downcast_ref::<AggregateExec>();
        let grouping = grouping.ok_or_else(|| internal_datafusion_err!("no AggregateExec"))?;
        let key = key(grouping).ok_or_else(|| internal_datafusion_err!("not one key"))?;
        let can_spill = context.runtime_env().disk_manager.tmp_files_enabled();
        let consumer = MemoryConsumer::new(format!("IntegerGroupsExec[{partition}]"));
        let spill = SpillMetrics::new(&self.metrics, partition);
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let work = Work {
            rows: grouping.input().execute(partition, Arc::clone(&context))?,
            groups: Groups::try_new(grouping, Arc::clone(key))?,
            runs: Runs::new(&context, spill, states_of(grouping)?),
            reservation: consumer
                .with_can_spill(can_spill)
                .register(context.memory_pool()),
            metrics: metrics.intermediate(),
            grouping: grouping.clone(),
            context,
        };
        let schema = self.schema();
        let groups = stream::once(work.run()).try_flatten();
        let stream = groups.map_ok(move |batch| batch.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let unknown = || Arc::new(Statistics::new_unknown(&self.schema()));
        Ok(inputs.first().map_or_else(unknown, Arc::clone))
    }
}

/// The columns of states.
fn states_of(grouping: &AggregateExec) -> Result<SchemaRef> {
    let input = grouping.input();
    if grouping.mode().input_mode() == AggregateInputMode::Partial {
        return Ok(input.schema());
    }
    let first_step = AggregateExec::try_new(
        AggregateMode::Partial,
        grouping.group_expr().clone(),
        grouping.aggr_expr().to_vec(),
        grouping.filter_expr().to_vec(),
        Arc::clone(input),
        grouping.input_schema(),
    )?;
    Ok(first_step.schema())
}

/// The groups of a partition in the making.
struct Work {
    rows: SendableRecordBatchStream,
    groups: Groups,
    runs: Runs,
    reservation: MemoryReservation,
    metrics: BaselineMetrics,
    grouping: AggregateExec,
    context: Arc<TaskContext>,
}

impl Work {
    async fn run(mut self) -> Result<SendableRecordBatchStream> {
        let compute = self.metrics.elapsed_compute().clone();
        let can_spill = self.reservation.consumer().can_spill();
        while let Some(rows) = self.rows.next().await.transpose()? {
            let _timer = compute.timer();
            self.groups.add(&rows)?;
            match self.reservation.try_resize(self.groups.size()) {
                Err(DataFusionError::ResourcesExhausted(_)) if can_spill => self.spill()?,
                resized => resized?,
            }
        }
        let _timer = compute.timer();
        if self.runs.is_empty() {
            self.finish()
        } else {
            self.spill()?;
            let reservation = self.reservation.new_empty();
            let (context, metrics) = (self.context, self.metrics);
            self.runs
                .merge(&self.grouping, context, metrics, reservation)
        }
    }

    fn spill(&mut self) -> Result<()> {
        if !self.groups.is_empty() {
            let states = self.groups.take_states(self.runs.schema())?;
            self.runs.add(&states)?;
        }
        self.reservation.try_resize(self.groups.size())
    }

    /// All groups, a batch at a time.
    fn finish(mut self) -> Result<SendableRecordBatchStream> {
        let schema = self.grouping.schema();
        let groups = self.groups.finish(&schema)?;
        self.reservation.resize(groups.get_array_memory_size());
        let batch_size = self.context.session_config().batch_size();
        let begins = (0..groups.num_rows()).step_by(batch_size);
        let reservation = self.reservation;
        let batches = begins.map(move |begin| {
            let _held = &reservation;
            let length = batch_size.min(groups.num_rows() - begin);
            Ok(groups.slice(begin, length))
        });
        let batches = stream::iter(batches);
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
