//! A table over a known list of Parquet files: those of a source, of a Delta version, or staged
//! ones.
//!
//! A listing of a folder would also show files that are staged, removed, or left by a crash.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::conjunction;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use object_store::ObjectMeta;

/// A Parquet file and the values of the partition columns of its rows.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Where it is, and how large.
    pub meta: ObjectMeta,
    /// Number of rows, where known.
    pub rows: Option<usize>,
    /// One value for every partition column.
    pub partition_values: Vec<ScalarValue>,
}

/// What a node reads, if it is a scan of files.
pub fn file_scan(node: &dyn ExecutionPlan) -> Option<&FileScanConfig> {
    let scan = node.downcast_ref::<DataSourceExec>()?;
    scan.data_source().downcast_ref()
}

/// A table made of [`DataFile`]s.
#[derive(Debug, Clone)]
pub struct FileTable {
    store_url: ObjectStoreUrl,
    schema: TableSchema,
    files: Vec<PartitionedFile>,
    /// Which files a partition reads; none: as many partitions as the session wants.
    groups: Option<Vec<FileGroup>>,
    /// The column whose hash says in which of the files a row is.
    divided_by: Option<usize>,
    readers: Option<Arc<dyn ParquetFileReaderFactory>>,
}

impl FileTable {
    /// A table of `files` in one store, with the columns of the files first and partition columns
    /// last.
    pub fn new(
        store_url: ObjectStoreUrl,
        file_schema: SchemaRef,
        partition_columns: Vec<FieldRef>,
        files: Vec<DataFile>,
    ) -> Self {
        let describe = |file: DataFile| {
            let mut statistics = Statistics::new_unknown(&file_schema);
            statistics.num_rows = file.rows.map_or(Precision::Absent, Precision::Exact);
            PartitionedFile::new_from_meta(file.meta)
                .with_partition_values(file.partition_values)
                .with_statistics(Arc::new(statistics))
        };
        let files = files.into_iter().map(describe).collect();
        let schema = TableSchema::builder(file_schema)
            .with_table_partition_cols(partition_columns)
            .build();
        Self::of_files(store_url, schema, files)
    }

    /// A table of files about which more is known.
    pub(crate) fn of_files(
        store_url: ObjectStoreUrl,
        schema: TableSchema,
        files: Vec<PartitionedFile>,
    ) -> Self {
        Self {
            store_url,
            schema,
            files,
            groups: None,
            divided_by: None,
            readers: None,
        }
    }

    /// Its files.
    pub(crate) fn files(&self) -> &[PartitionedFile] {
        &self.files
    }

    /// The rows of some of its files, or of ranges of them: those of each group in a partition of
    /// their own.
    #[must_use]
    pub fn in_groups(&self, groups: Vec<FileGroup>) -> Self {
        let files = groups.iter().flat_map(FileGroup::iter).cloned();
        Self {
            store_url: self.store_url.clone(),
            schema: self.schema.clone(),
            files: files.collect(),
            groups: Some(groups),
            divided_by: None,
            readers: self.readers.clone(),
        }
    }

    /// The same table, whose rows are divided among its files by the hash of a column, as a
    /// `RepartitionExec` divides them: where as many partitions are wanted, each reads a file, and
    /// joins and groups by the column need not divide rows again.
    #[must_use]
    pub(crate) fn divided_by(mut self, column: Option<usize>) -> Self {
        self.divided_by = column;
        self
    }

    /// The same table, of which `readers` know the footers and count what is read.
    pub(crate) fn read_with(mut self, readers: Arc<dyn ParquetFileReaderFactory>) -> Self {
        self.readers = Some(readers);
        self
    }

    /// What reads the files, without what to look for.
    fn parquet(&self, state: &dyn Session) -> ParquetSource {
        let mut options = state.table_options().parquet.clone();
        let source = ParquetSource::new(self.schema.clone());
        let Some(readers) = &self.readers else {
            return source.with_table_parquet_options(options);
        };
        // page indexes would be read by each scan and each partition
        options.global.enable_page_index = false;
        source
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::clone(readers))
    }

    /// The files whose partition values can satisfy `filters`.
    fn matching_files(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<&PartitionedFile>> {
        let partition_schema = Arc::new(datafusion::arrow::datatypes::Schema::new(
            self.schema.table_partition_cols().clone(),
        ));
        let df_schema = DFSchema::try_from(Arc::clone(&partition_schema))?;
        let predicates: Vec<Arc<dyn PhysicalExpr>> = filters
            .iter()
            .filter(|filter| self.reads_partitions_only(filter))
            .map(|filter| state.create_physical_expr(filter.clone(), &df_schema))
            .collect::<Result<_>>()?;
        let Some(predicate) = (!predicates.is_empty()).then(|| conjunction(predicates)) else {
            return Ok(self.files.iter().collect());
        };
        let mut matching = Vec::new();
        for file in &self.files {
            let values = file.partition_values.iter().map(ScalarValue::to_array);
            let row = datafusion::arrow::array::RecordBatch::try_new(
                Arc::clone(&partition_schema),
                values.collect::<Result<_>>()?,
            )?;
            let verdict = predicate.evaluate(&row)?.into_array(1)?;
            if ScalarValue::try_from_array(&verdict, 0)? == ScalarValue::Boolean(Some(true)) {
                matching.push(file);
            }
        }
        Ok(matching)
    }

    /// Whether a filter tells which files are read at all; not of groups, which stay as they are.
    fn reads_partitions_only(&self, filter: &Expr) -> bool {
        let partitions = self.schema.table_partition_cols();
        let columns = filter.column_refs();
        self.groups.is_none()
            && !columns.is_empty()
            && columns
                .iter()
                .all(|column| partitions.iter().any(|field| field.name() == column.name()))
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// The number of rows, where each file's is known.
    fn statistics(&self) -> Option<Statistics> {
        let rows = |file: &PartitionedFile| file.statistics.as_ref().map(|known| known.num_rows);
        let mut statistics = Statistics::new_unknown(&self.schema());
        statistics.num_rows = self
            .files
            .iter()
            .try_fold(Precision::Exact(0), |sum, file| {
                rows(file).map(|rows| sum.add(&rows))
            })?;
        Some(statistics)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let exact = |filter: &&Expr| {
            if self.reads_partitions_only(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(exact).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.matching_files(state, filters)?;
        if files.is_empty() {
            let schema = datafusion::physical_plan::project_schema(&self.schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let df_schema = DFSchema::try_from(self.schema())?;
        let predicates = filters
            .iter()
            .filter(|filter| !self.reads_partitions_only(filter))
            .map(|filter| state.create_physical_expr(filter.clone(), &df_schema))
            .collect::<Result<Vec<_>>>()?;
        let mut source = self.parquet(state);
        if !predicates.is_empty() {
            source = source.with_predicate(conjunction(predicates));
        }
        let partitions = state.config().target_partitions();
        // of how many rows is known, so that joins hold a small table in memory
        let known = files.iter().filter_map(|file| file.statistics.as_deref());
        let mut statistics = Statistics::try_merge_iter(known, &self.schema())?;
        let columns = self.schema().fields().len();
        let unknown = ColumnStatistics::new_unknown();
        statistics.column_statistics.resize(columns, unknown);
        let divided_by = self
            .divided_by
            .filter(|_| files.len() == partitions && files.len() == self.files.len());
        let files = files.into_iter().cloned();
        let groups = match (&self.groups, divided_by) {
            (Some(groups), _) => groups.clone(),
            (None, Some(_)) => files.map(|file| FileGroup::new(vec![file])).collect(),
            (None, None) => FileGroup::new(files.collect()).split_files(partitions),
        };
        let partitioning = divided_by.map(|column| {
            let key = Column::new(self.schema().field(column).name(), column);
            Partitioning::Hash(vec![Arc::new(key)], partitions)
        });
        let config = FileScanConfigBuilder::new(self.store_url.clone(), Arc::new(source))
            .with_file_groups(groups)
            // a partition that is done takes files of others otherwise
            .with_preserve_order(self.groups.is_some())
            .with_output_partitioning(partitioning)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
