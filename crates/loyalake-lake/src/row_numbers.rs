//! Scans whose rows have numbers, as plans that can be sent to other processes.
//!
//! `DataFusion` writes a scan down without the column of row numbers. A plan that travels has two
//! nodes instead: a scan without it and, above, one that puts it back where the plan is executed.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::parquet::arrow::RowNumber;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};

use crate::file_scan;

/// Reads what its input would read, with numbered rows.
pub struct RowNumbersExec {
    /// A scan of all columns but the numbers.
    scan: Arc<dyn ExecutionPlan>,
    /// What is run in its place.
    numbered: Arc<DataSourceExec>,
    /// The name of the column with the numbers; it is the last one.
    name: String,
    /// Places of the columns that are read.
    columns: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl RowNumbersExec {
    /// Reads some columns of what `scan` would read, the last of all being the numbers.
    ///
    /// # Errors
    /// A plan that is no scan of Parquet files.
    pub fn try_new(
        scan: Arc<dyn ExecutionPlan>,
        name: String,
        columns: Vec<usize>,
    ) -> Result<Self> {
        let numbered = numbered(scan.as_ref(), &name, &columns)?;
        let partitions = scan.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(numbered.schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            scan,
            numbered,
            name,
            columns,
            properties: Arc::new(properties),
        })
    }

    /// The name of the column with the numbers.
    pub fn column_name(&self) -> &str {
        &self.name
    }

    /// Places of the columns that are read.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The same rows as those of `plan`, if that is a scan with numbered rows, from plans that can
    /// be sent.
    ///
    /// # Errors
    /// Columns that don't fit together.
    pub fn in_place_of(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some((config, source)) = parquet_scan(plan.as_ref()) else {
            return Ok(None);
        };
        let table = source.table_schema();
        let [number] = &table.virtual_columns()[..] else {
            return Ok(None);
        };
        let (all, projection) = (table.table_schema(), source.projection());
        let projection: Vec<ProjectionExpr> = projection.into_iter().flatten().cloned().collect();
        let used = projection
            .iter()
            .flat_map(|item| collect_columns(&item.expr));
        let mut columns: Vec<usize> = used.map(|column| column.index()).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut statistics = config.statistics();
        statistics
            .column_statistics
            .truncate(all.fields().len() - 1);
        let without = TableSchema::builder(Arc::clone(table.file_schema()))
            .with_table_partition_cols(table.table_partition_cols().clone())
            .build();
        let scan = FileScanConfigBuilder::from(config.clone())
            .with_source(Arc::new(like(source, without)))
            .with_statistics(statistics)
            .build();
        let read = Arc::new(all.project(&columns)?);
        let scan = DataSourceExec::from_data_source(scan);
        let numbers = Self::try_new(scan, number.name().clone(), columns)?;
        let projection = projection
            .into_iter()
            .map(|ProjectionExpr { expr, alias }| {
                let expr = reassign_expr_columns(expr, &read)?;
                Ok(ProjectionExpr { expr, alias })
            });
        let projection = projection.collect::<Result<Vec<_>>>()?;
        let projected = ProjectionExec::try_new(projection, Arc::new(numbers))?;
        Ok(Some(Arc::new(projected)))
    }
}

fn parquet_scan(plan: &dyn ExecutionPlan) -> Option<(&FileScanConfig, &ParquetSource)> {
    let config = file_scan(plan)?;
    Some((
        config,
        config.file_source().downcast_ref::<ParquetSource>()?,
    ))
}

/// A source that reads everything of another table in the same way.
fn like(source: &ParquetSource, table: TableSchema) -> ParquetSource {
    let options = source.table_parquet_options().clone();
    let mut like = ParquetSource::new(table).with_table_parquet_options(options);
    if let Some(readers) = source.parquet_file_reader_factory() {
        like = like.with_parquet_file_reader_factory(Arc::clone(readers));
    }
    match source.filter() {
        Some(predicate) => like.with_predicate(predicate),
        None => like,
    }
}

/// The scan with the numbers, of some columns.
fn numbered(
    scan: &dyn ExecutionPlan,
    name: &str,
    columns: &[usize],
) -> Result<Arc<DataSourceExec>> {
    let (config, source) = parquet_scan(scan).ok_or_else(|| {
        DataFusionError::Internal("RowNumbersExec reads a scan of Parquet files".to_owned())
    })?;
    let table = source.table_schema();
    let table = TableSchema::builder(Arc::clone(table.file_schema()))
        .with_table_partition_cols(table.table_partition_cols().clone())
        .with_virtual_columns(vec![row_number(name)])
        .build();
    let config = FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(like(source, table)))
        .with_projection_indices(Some(columns.to_vec()))?;
    Ok(DataSourceExec::from_data_source(config.build()))
}

/// A column that counts the rows of each file.
pub(crate) fn row_number(name: &str) -> FieldRef {
    use datafusion::arrow::datatypes::{DataType, Field};
    let field = Field::new(name, DataType::Int64, false);
    Arc::new(field.with_extension_type(RowNumber))
}

impl fmt::Debug for RowNumbersExec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, formatter)
    }
}

impl DisplayAs for RowNumbersExec {
    fn fmt_as(
        &self,
        display: DisplayFormatType,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        write!(formatter, "RowNumbersExec: {}, ", self.name)?;
        self.numbered.fmt_as(display, formatter)
    }
}

impl ExecutionPlan for RowNumbersExec {
    fn name(&self) -> &'static str {
        "RowNumbersExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.scan]
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
        let [scan] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("RowNumbersExec has one input".to_owned()))?;
        let (name, columns) = (self.name.clone(), self.columns.clone());
        Ok(Arc::new(Self::try_new(scan, name, columns)?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.numbered.execute(partition, context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.numbered.metrics()
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let schema: &Schema = &self.schema();
        let mut statistics = Statistics::new_unknown(schema);
        if let Some(input) = inputs.first() {
            statistics.num_rows = input.num_rows;
        }
        Ok(Arc::new(statistics))
    }
}
