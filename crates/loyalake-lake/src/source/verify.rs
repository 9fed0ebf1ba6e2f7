//! Which file is broken, when a query failed and does not say: every file is read by itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use datafusion::parquet::errors::ParquetError;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{FutureExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use url::Url;

use super::parquet::{is_of_store, root_message};
use super::place::address;
use crate::{BadFile, LakeError, Result};

/// The first of some Parquet files that can't be read to its end, or all of them.
pub(super) async fn broken_files(
    store: &Arc<dyn ObjectStore>,
    url: &Url,
    files: &[ObjectMeta],
    all: bool,
) -> Result<Vec<BadFile>> {
    let mut broken = Vec::new();
    for file in files {
        let reading = tokio::spawn(first_broken_column(Arc::clone(store), file.clone()));
        let read = reading
            .await
            .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        if let Some(problem) = read? {
            broken.push(BadFile {
                location: address(url, &file.location),
                problem,
                remedy: "write it again or remove it".to_owned(),
            });
            if !all {
                break;
            }
        }
    }
    Ok(broken)
}

/// Reads every column of every row group.
async fn first_broken_column(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> Result<Option<String>> {
    let readers = DefaultParquetFileReaderFactory::new(store);
    let open = async || {
        let file = PartitionedFile::new_from_meta(file.clone());
        let reader: Box<dyn AsyncFileReader> = readers
            .create_reader(0, file, None, &ExecutionPlanMetricsSet::new())
            .map_err(|error| ParquetError::External(Box::new(error)))?;
        ParquetRecordBatchStreamBuilder::new(reader).await
    };
    let broken_footer = |error: ParquetError| problem(error, "has a footer that can't be read");
    let footer = match open().await {
        Ok(footer) => footer,
        Err(error) => return broken_footer(error),
    };
    for (group, rows) in footer.metadata().row_groups().iter().enumerate() {
        for (leaf, column) in rows.columns().iter().enumerate() {
            let reader = match open().await {
                Ok(reader) => reader,
                Err(error) => return broken_footer(error),
            };
            let mask = ProjectionMask::leaves(reader.parquet_schema(), [leaf]);
            let column_rows = reader
                .with_row_groups(vec![group])
                .with_projection(mask)
                .build();
            let read = async {
                let mut batches = column_rows?;
                while batches.try_next().await?.is_some() {}
                Ok(())
            };
            // a reader may panic at bytes that nobody expects
            let read = AssertUnwindSafe(read).catch_unwind().await;
            let panicked = |_| Err(ParquetError::General("its reader panics".to_owned()));
            if let Err(error) = read.unwrap_or_else(panicked) {
                let (start, length) = column.byte_range();
                let name = column.column_path().string();
                let place = format!(
                    "is broken in row group {group}, column '{name}', {length} bytes from byte \
                    {start} on"
                );
                return problem(error, &place);
            }
        }
    }
    Ok(None)
}

/// The file's fault, in words, unless it is the store's.
fn problem(error: ParquetError, place: &str) -> Result<Option<String>> {
    if is_of_store(&error) {
        return Err(LakeError::Query(error.into()));
    }
    Ok(Some(format!("{place}: {}", root_message(&error))))
}
