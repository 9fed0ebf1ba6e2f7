//! Parquet files as one table: each is checked when the run begins, its footer and its columns.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::{ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::transform_schema_to_view;
use datafusion::datasource::physical_plan::{
    wrap_partition_type_in_dict, wrap_partition_value_in_dict,
};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use futures::{StreamExt, stream};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::parquet_columns::{differs, usual_columns};
use super::place::Place;
use super::{CHECKS_AT_ONCE, FILE_COLUMN, Files, ROW_COLUMN, foreign_kind};
use crate::row_numbers::row_number;
use crate::{BadFile, FileTable, LakeError, Result};

/// Bytes of a Parquet file without its footer: a magic word at each end, and the footer's length.
const PARQUET_ENDS: u64 = 12;

/// What to do about a file that was cut off.
const WRITE_AGAIN: &str = "write it again or remove it";

/// What the footer of a file says.
pub(super) struct Footer {
    columns: SchemaRef,
    statistics: Statistics,
}

/// Keeps the files whose footers can be read and whose columns fit together.
pub(super) async fn check(place: &Place, files: &mut Files) -> Result<Vec<Footer>> {
    let checks = files.good.iter().map(|file| check_file(place, file));
    let found = stream::iter(checks)
        .buffered(CHECKS_AT_ONCE)
        .collect()
        .await;
    let footers: Vec<Footer> = files.keep(found)?;
    let usual = usual_columns(&columns_of(&footers));
    let addresses = files.good.iter().map(|file| place.address(&file.location));
    let found = addresses.zip(footers).map(|(location, footer)| {
        let mut fields = footer.columns.fields().iter();
        match fields.find_map(|field| differs(field, &usual)) {
            None => Ok(footer),
            Some((problem, remedy)) => Err(BadFile {
                location,
                problem,
                remedy,
            }
            .into()),
        }
    });
    let found = found.collect();
    files.keep(found)
}

/// The table of files that were checked, with the columns of their folders last.
pub(super) fn table(
    place: &Place,
    files: &[ObjectMeta],
    footers: Vec<Footer>,
    folders: &[String],
) -> FileTable {
    let columns = usual_columns(&columns_of(&footers)).into_iter();
    let columns = columns.map(|column| column.field);
    let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
    let is_free = |name: &str| schema.field_with_name(name).is_err();
    let named: Vec<&str> = folders
        .iter()
        .map(String::as_str)
        .chain([FILE_COLUMN])
        .filter(|name| is_free(name))
        .collect();
    let text = wrap_partition_type_in_dict(DataType::Utf8);
    let partition_columns = named
        .iter()
        .map(|name| Arc::new(Field::new(*name, text.clone(), true)));
    let row_number = is_free(ROW_COLUMN).then(|| row_number(ROW_COLUMN));
    let table = TableSchema::builder(Arc::clone(&schema))
        .with_table_partition_cols(partition_columns.collect::<Vec<FieldRef>>())
        .with_virtual_columns(row_number.into_iter().collect::<Vec<_>>())
        .build();
    let described = files.iter().zip(footers).map(|(file, footer)| {
        let mut values = place.folder_values(&file.location);
        let name = place.short_name(&file.location);
        values.push((FILE_COLUMN.to_owned(), Some(name)));
        let values = values
            .into_iter()
            .filter(|(name, _)| named.contains(&name.as_str()))
            .map(|(_, value)| wrap_partition_value_in_dict(ScalarValue::Utf8(value)));
        PartitionedFile::new_from_meta(file.clone())
            .with_partition_values(values.collect())
            .with_statistics(Arc::new(statistics_in(&schema, footer)))
    });
    FileTable::of_files(place.store_url(), table, described.collect())
}

fn columns_of(footers: &[Footer]) -> Vec<&Schema> {
    footers
        .iter()
        .map(|footer| footer.columns.as_ref())
        .collect()
}

/// What a footer says of the columns of a table: nothing of those that it has in another type.
fn statistics_in(table: &Schema, footer: Footer) -> Statistics {
    let Footer {
        columns,
        mut statistics,
    } = footer;
    let of_column = |field: &FieldRef| {
        let (place, found) = columns.column_with_name(field.name())?;
        let is_same = found.data_type() == field.data_type();
        let known = statistics.column_statistics.get(place);
        known.filter(|_| is_same).cloned()
    };
    let known = table.fields().iter().map(of_column);
    statistics.column_statistics = known.map(Option::unwrap_or_default).collect();
    statistics
}

/// Reads the footer of a file.
async fn check_file(place: &Place, file: &ObjectMeta) -> Result<Footer> {
    refuse_cut_off(place, file).await?;
    let read = async {
        let footer = DFParquetMetadata::new(place.store.as_ref(), file)
            .fetch_metadata()
            .await?;
        let columns = footer.file_metadata();
        let columns =
            parquet_to_arrow_schema(columns.schema_descr(), columns.key_value_metadata())?;
        let columns = Arc::new(transform_schema_to_view(&columns));
        let statistics = DFParquetMetadata::statistics_from_parquet_metadata(&footer, &columns)?;
        let outside = column_outside(&footer, file.size);
        let footer = Footer {
            columns,
            statistics,
        };
        Ok((footer, outside))
    };
    let (footer, outside) = read.await.map_err(|error| unreadable(place, file, error))?;
    if let Some(problem) = outside {
        return Err(BadFile {
            location: place.address(&file.location),
            problem,
            remedy: WRITE_AGAIN.to_owned(),
        }
        .into());
    }
    let mut names = BTreeSet::new();
    let mut fields = footer.columns.fields().iter();
    match fields.find(|field| !names.insert(field.name())) {
        None => Ok(footer),
        Some(twice) => Err(BadFile {
            location: place.address(&file.location),
            problem: format!("has two columns with the name '{}'", twice.name()),
            remedy: "rename one of them".to_owned(),
        }
        .into()),
    }
}

/// The first column whose bytes are not within the file, as when a part of it is missing.
fn column_outside(footer: &ParquetMetaData, size: u64) -> Option<String> {
    let is_outside = |column: &&ColumnChunkMetaData| {
        let start = column.dictionary_page_offset();
        let start = start.unwrap_or(column.data_page_offset());
        let end = start.checked_add(column.compressed_size());
        let end = end.and_then(|end| u64::try_from(end).ok());
        start < 0 || column.compressed_size() < 0 || end.is_none_or(|end| end > size)
    };
    let groups = footer.row_groups().iter().enumerate();
    let mut found = groups.filter_map(|(group, rows)| {
        let column = rows.columns().iter().find(is_outside)?;
        let name = column.column_path().string();
        Some(format!(
            "is not whole: of row group {group}, column '{name}' is beyond the end at byte {size}"
        ))
    });
    found.next()
}

/// A file that was cut off while it was written is told by its end: the length of the footer, and a
/// magic word.
async fn refuse_cut_off(place: &Place, file: &ObjectMeta) -> Result<()> {
    let broken = |reason: String, remedy: &str| -> Result<()> {
        Err(BadFile {
            location: place.address(&file.location),
            problem: format!("is not whole Parquet: {reason}"),
            remedy: remedy.to_owned(),
        }
        .into())
    };
    if file.size < PARQUET_ENDS {
        return broken(format!("it has only {} bytes", file.size), WRITE_AGAIN);
    }
    let end = file.size - 8..file.size;
    let end = place.store.get_range(&file.location, end).await?;
    let (length, magic) = end.split_at(end.len().saturating_sub(4));
    let length = length
        .iter()
        .rev()
        .fold(0, |sum, byte| sum * 256 + u64::from(*byte));
    if magic == b"PARE" {
        return broken("it is encrypted".to_owned(), "write it without encryption");
    }
    if magic != b"PAR1" {
        let start = place
            .store
            .get_range(&file.location, 0..PARQUET_ENDS)
            .await?;
        if let Some((kind, remedy)) = foreign_kind(&start, super::Format::Parquet) {
            return broken(format!("it is {kind}"), &remedy);
        }
        let place = file.size - 4;
        return broken(
            format!("byte {place} is no PAR1, the end of a file"),
            WRITE_AGAIN,
        );
    }
    if length + PARQUET_ENDS > file.size {
        let place = file.size - 8;
        let size = file.size;
        return broken(
            format!("byte {place} says {length} bytes of footer, but the file has {size}"),
            WRITE_AGAIN,
        );
    }
    Ok(())
}

/// A failure of the format is the file's; one of the store is not.
fn unreadable(place: &Place, file: &ObjectMeta, error: DataFusionError) -> LakeError {
    if is_of_store(&error) {
        return error.into();
    }
    BadFile {
        location: place.address(&file.location),
        problem: format!("has a footer that can't be read: {}", root_message(&error)),
        remedy: WRITE_AGAIN.to_owned(),
    }
    .into()
}

/// Whether an error comes from the object store.
pub(super) fn is_of_store(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<object_store::Error>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// What the innermost error says, in one line.
pub(super) fn root_message(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let text = root.to_string();
    let line = text.lines().next().unwrap_or_default();
    let prefixes = [
        "Arrow: ",
        "Parquet argument error: ",
        "Parquet error: ",
        "External: ",
    ];
    let mut line = line;
    while let Some(rest) = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest;
    }
    line.to_owned()
}
