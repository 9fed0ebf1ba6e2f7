//! Plans as they can leave the process that made them.

use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::scalar_subquery::ScalarSubqueryExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::scalar_subquery::{ScalarSubqueryExec, ScalarSubqueryLink};
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary,
};
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr_with_converter;
use datafusion_proto::physical_plan::{
    AsExecutionPlan, DefaultPhysicalProtoConverter, PhysicalExtensionCodec,
    PhysicalPlanDecodeContext, PhysicalPlanNodeExt, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::{PhysicalExprNode, PhysicalPlanNode};
use loyalake_lake::{RowNumbersExec, file_scan};

use crate::broadcast::without_sizes;

/// Bytes of the files, or parts of files, that a plan reads.
pub(crate) fn bytes_of_files(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let groups = file_scan(plan.as_ref()).map_or(&[][..], |config| &config.file_groups);
    let files = groups.iter().flat_map(FileGroup::files);
    let own: u64 = files.map(PartitionedFile::effective_size).sum();
    let children = plan.children().into_iter();
    own + children.map(bytes_of_files).sum::<u64>()
}

/// The subqueries whose values a plan reads, but for those inside of subqueries.
pub(crate) fn subqueries(
    plan: &Arc<dyn ExecutionPlan>,
) -> Vec<(ScalarSubqueryLink, Arc<dyn ExecutionPlan>)> {
    let own = plan.downcast_ref::<ScalarSubqueryExec>();
    let links = own.map_or(&[][..], |node| node.subqueries());
    let mut found: Vec<_> = links
        .iter()
        .map(|link| (link.clone(), Arc::clone(plan)))
        .collect();
    let inputs = match own {
        Some(node) => vec![node.input()],
        None => plan.children(),
    };
    for input in inputs {
        found.extend(subqueries(input));
    }
    found
}

/// The plan in bytes, when the values of its subqueries are known.
pub(crate) fn encode(plan: Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<Vec<u8>> {
    let plan = without_sizes(plan.transform_down(prepare)?.data)?;
    let codec = context.session_config().ballista_physical_extension_codec();
    let plan =
        PhysicalPlanNode::try_from_physical_plan_with_converter(plan, codec.as_ref(), &Values)?;
    let mut bytes = Vec::new();
    plan.try_encode(&mut bytes)?;
    Ok(bytes)
}

/// A node as it can be executed in parts, each by somebody who knows nothing of the others.
fn prepare(mut node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let mut is_changed = false;
    while let Some(subquery) = node.downcast_ref::<ScalarSubqueryExec>() {
        node = Arc::clone(subquery.input());
        is_changed = true;
    }
    if let Some(rows) = constant_rows(&node)? {
        return Ok(Transformed::yes(rows));
    }
    if let Some(scan) = RowNumbersExec::in_place_of(&node)? {
        return Ok(Transformed::new(scan, true, TreeNodeRecursion::Jump));
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
        && !is_of_the_right(*join.join_type())
        && join.right().output_partitioning().partition_count() > 1
    {
        let right = Arc::new(CoalescePartitionsExec::new(Arc::clone(join.right())));
        let children = vec![Arc::clone(join.left()), right as Arc<dyn ExecutionPlan>];
        return Ok(Transformed::yes(replace_children_if_necessary(
            node, children,
        )?));
    }
    Ok(Transformed::new_transformed(node, is_changed))
}

/// Rows that are read from nowhere, as a table in memory, which is all that the scheduler can
/// divide among tasks. It makes tables of some of these itself, where a task needs none of their
/// rows, and then counts more operators in one task than in another, which ends in silence.
fn constant_rows(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let mut schema = node.schema();
    let rows = if node.is::<EmptyExec>() {
        Vec::new()
    } else if let Some(series) = node.downcast_ref::<LazyMemoryExec>() {
        let mut rows = Vec::new();
        for generator in series.generators() {
            let generator = generator.read().reset_state();
            while let Some(batch) = generator.write().generate_next_batch()? {
                let all = batch.schema();
                let names = schema
                    .fields()
                    .iter()
                    .map(|field| all.index_of(field.name()));
                let columns = names.collect::<Result<Vec<_>, _>>()?;
                rows.push(batch.project(&columns)?);
            }
        }
        let rows = MemorySourceConfig::try_new(&[rows], schema, None)?;
        return Ok(Some(DataSourceExec::from_data_source(rows)));
    } else if node.is::<PlaceholderRowExec>() {
        // of whose row nobody reads a value
        let fields = schema.fields().iter();
        let fields = fields.map(|field| Field::new(field.name(), DataType::Null, true));
        schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = schema
            .fields()
            .iter()
            .map(|_| new_null_array(&DataType::Null, 1));
        let (columns, one) = (
            columns.collect(),
            RecordBatchOptions::new().with_row_count(Some(1)),
        );
        vec![RecordBatch::try_new_with_options(
            Arc::clone(&schema),
            columns,
            &one,
        )?]
    } else {
        return Ok(None);
    };
    let partitions = vec![rows; node.output_partitioning().partition_count()];
    let rows = MemorySourceConfig::try_new(&partitions, schema, None)?;
    Ok(Some(DataSourceExec::from_data_source(rows)))
}

/// Whether each row of a join's result is some row's of its right side, so that a part of these
/// suffices for a part of the result.
pub(crate) fn is_of_the_right(join: JoinType) -> bool {
    matches!(
        join,
        JoinType::Inner
            | JoinType::Right
            | JoinType::RightSemi
            | JoinType::RightAnti
            | JoinType::RightMark
    )
}

/// Writes the values of subqueries in their place.
struct Values;

impl PhysicalProtoConverterExtension for Values {
    fn proto_to_execution_plan(
        &self,
        proto: &PhysicalPlanNode,
        context: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalProtoConverter {}.proto_to_execution_plan(proto, context)
    }

    fn execution_plan_to_proto(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalPlanNode> {
        PhysicalPlanNode::try_from_physical_plan_with_converter(Arc::clone(plan), codec, self)
    }

    fn proto_to_physical_expr(
        &self,
        proto: &PhysicalExprNode,
        schema: &Schema,
        context: &PhysicalPlanDecodeContext<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        DefaultPhysicalProtoConverter {}.proto_to_physical_expr(proto, schema, context)
    }

    fn physical_expr_to_proto(
        &self,
        expr: &Arc<dyn PhysicalExpr>,
        codec: &dyn PhysicalExtensionCodec,
    ) -> Result<PhysicalExprNode> {
        if expr.downcast_ref::<ScalarSubqueryExpr>().is_some() {
            let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
            if let ColumnarValue::Scalar(value) = expr.evaluate(&nothing)? {
                let value: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(value));
                return serialize_physical_expr_with_converter(&value, codec, self);
            }
        }
        serialize_physical_expr_with_converter(expr, codec, self)
    }
}
