//! The states of groups.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateInputMode, aggregate_expressions,
};

use super::index::GroupIndex;

/// All groups of a partition.
pub(super) struct Groups {
    key: Arc<dyn PhysicalExpr>,
    index: GroupIndex,
    aggregates: Vec<Aggregate>,
    /// The group of each row of a batch.
    of_rows: Vec<usize>,
}

/// One aggregate and its states.
struct Aggregate {
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    input: AggregateInputMode,
    states: Box<dyn GroupsAccumulator>,
}

impl Groups {
    /// No groups yet of those that `grouping` makes by `key`.
    pub(super) fn try_new(grouping: &AggregateExec, key: Arc<dyn PhysicalExpr>) -> Result<Self> {
        let mode = grouping.mode();
        let functions = grouping.aggr_expr();
        let arguments = aggregate_expressions(functions, mode, 1)?;
        let aggregates = functions.iter().zip(arguments).zip(grouping.filter_expr());
        let aggregates = aggregates.map(|((function, arguments), filter)| {
            let input = mode.input_mode();
            // states are those of rows that were wanted
            let filter = filter.clone().filter(|_| input == AggregateInputMode::Raw);
            Ok(Aggregate {
                arguments,
                filter,
                input,
                states: function.create_groups_accumulator()?,
            })
        });
        Ok(Self {
            key,
            index: GroupIndex::new(),
            aggregates: aggregates.collect::<Result<_>>()?,
            of_rows: Vec::new(),
        })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        let states = self
            .aggregates
            .iter()
            .map(|aggregate| aggregate.states.size());
        self.index.heap_size() + states.sum::<usize>()
    }

    /// Adds rows to their groups.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let keys = evaluate(&self.key, rows)?;
        let keys = cast(&keys, &DataType::Int64)?;
        let keys = keys.as_primitive::<Int64Type>();
        self.index.find(keys, &mut self.of_rows)?;
        for aggregate in &mut self.aggregates {
            aggregate.add(rows, &self.of_rows, self.index.len())?;
        }
        Ok(())
    }

    /// Keys and results, in columns of `schema`; no groups are left.
    pub(super) fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.take(schema, |states| Ok(vec![states.evaluate(EmitTo::All)?]))
    }

    /// Keys and states, in columns of `schema`; no groups are left.
    pub(super) fn take_states(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.take(schema, |states| states.state(EmitTo::All))
    }

    fn take(
        &mut self,
        schema: &SchemaRef,
        columns_of: impl Fn(&mut dyn GroupsAccumulator) -> Result<Vec<ArrayRef>>,
    ) -> Result<RecordBatch> {
        let keys = self.index.take();
        let mut columns = vec![cast(&keys, schema.field(0).data_type())?];
        for aggregate in &mut self.aggregates {
            columns.extend(columns_of(aggregate.states.as_mut())?);
        }
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

impl Aggregate {
    fn add(&mut self, rows: &RecordBatch, groups_of_rows: &[usize], groups: usize) -> Result<()> {
        let arguments = self.arguments.iter();
        let arguments = arguments.map(|argument| evaluate(argument, rows));
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        match self.input {
            AggregateInputMode::Raw => {
                let filter = self.filter.as_ref();
                let filter = filter.map(|filter| evaluate(filter, rows)).transpose()?;
                let filter = filter.as_deref().map(as_boolean_array).transpose()?;
                self.states
                    .update_batch(&arguments, groups_of_rows, filter, groups)
            }
            AggregateInputMode::Partial => {
                self.states.merge_batch(&arguments, groups_of_rows, groups)
            }
        }
    }
}

fn evaluate(expression: &Arc<dyn PhysicalExpr>, rows: &RecordBatch) -> Result<ArrayRef> {
    expression.evaluate(rows)?.into_array(rows.num_rows())
}
