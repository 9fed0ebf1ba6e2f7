//! Parquet files as one table: each is checked when the run begins, its footer and its columns.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::common::{ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::transform_schema_to_view;
use datafusion::datasource::physical_plan::{
    wrap_partition_type_in_dict, wrap_partition_value_in_dict,
};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::{RowNumber, parquet_to_arrow_schema};
use futures::{StreamExt, stream};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::place::Place;
use super::{CHECKS_AT_ONCE, FILE_COLUMN, Files, ROW_COLUMN, foreign_kind};
use crate::{BadFile, FileTable, LakeError, Result, type_name};

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
    let usual = usual_columns(&footers);
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
    let columns = usual_columns(&footers)
        .into_iter()
        .map(|column| column.field);
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
    let row_number = Field::new(ROW_COLUMN, DataType::Int64, false).with_extension_type(RowNumber);
    let row_number: Option<FieldRef> = is_free(ROW_COLUMN).then(|| Arc::new(row_number));
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
        Ok(Footer {
            columns,
            statistics,
        })
    };
    let footer: Footer = read.await.map_err(|error| unreadable(place, file, error))?;
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

/// A column in the type that it has in most files.
struct UsualColumn {
    field: FieldRef,
    /// Files that have it in this type, or in one that fits.
    files: usize,
    /// Files that have it, other than as nothing but nulls.
    all: usize,
}

/// The columns of all files, in the order of their first appearance; of equally frequent types, that
/// of the first file.
fn usual_columns(footers: &[Footer]) -> Vec<UsualColumn> {
    let mut columns: Vec<(&str, Vec<(DataType, usize)>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for field in footers.iter().flat_map(|footer| footer.columns.fields()) {
        let place = *places.entry(field.name()).or_insert(columns.len());
        if place == columns.len() {
            columns.push((field.name(), Vec::new()));
        }
        if field.data_type().is_null() {
            continue;
        }
        let types = &mut columns[place].1;
        let fitting = types.iter_mut().find_map(|(known, files)| {
            let wider = wider(known, field.data_type())?;
            Some((known, files, wider))
        });
        match fitting {
            Some((known, files, wider)) => (*known, *files) = (wider, *files + 1),
            None => types.push((field.data_type().clone(), 1)),
        }
    }
    let usual = columns.into_iter().map(|(name, types)| {
        let all = types.iter().map(|(_, files)| files).sum();
        let usual = types.into_iter().rev().max_by_key(|(_, files)| *files);
        let (data_type, files) = usual.unwrap_or((DataType::Null, 0));
        let field = Arc::new(Field::new(name, data_type, true));
        UsualColumn { field, files, all }
    });
    usual.collect()
}

/// A type that both can be read as without losing anything.
fn wider(one: &DataType, other: &DataType) -> Option<DataType> {
    let rank = |data_type: &DataType| match data_type {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 => 3,
        DataType::Int64 => 4,
        _ => 0,
    };
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (DataType::Null, known) | (known, DataType::Null) => Some(known.clone()),
        (DataType::Dictionary(_, value), other) | (other, DataType::Dictionary(_, value)) => {
            let is_text = |found: &DataType| matches!(found, DataType::Utf8 | DataType::LargeUtf8);
            match other {
                DataType::Utf8View if is_text(value) => Some(DataType::Utf8View),
                other => wider(value, other),
            }
        }
        (DataType::Timestamp(_, one), DataType::Timestamp(_, other)) if one == other => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, one.clone()))
        }
        (one, other) if rank(one) > 0 && rank(other) > 0 => {
            Some(if rank(one) > rank(other) { one } else { other }.clone())
        }
        _ => None,
    }
}

/// What is wrong with a column that has another type than in most files.
fn differs(field: &Field, usual: &[UsualColumn]) -> Option<(String, String)> {
    let column = usual
        .iter()
        .find(|column| column.field.name() == field.name())?;
    let expected = column.field.data_type();
    if wider(field.data_type(), expected).as_ref() == Some(expected) {
        return None;
    }
    let (name, expected) = (field.name(), type_name(expected));
    let problem = format!(
        "has column '{name}' as {}, but it is {expected} in {} of the {} files that have it",
        type_name(field.data_type()),
        column.files,
        column.all
    );
    Some((problem, format!("write it again as {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footers(name: &str, types: &[DataType]) -> Vec<Footer> {
        let footer = |data_type: &DataType| {
            let columns = Schema::new(vec![Field::new(name, data_type.clone(), true)]);
            Footer {
                statistics: Statistics::new_unknown(&columns),
                columns: Arc::new(columns),
            }
        };
        types.iter().map(footer).collect()
    }

    #[test]
    fn the_type_of_most_files_counts_and_wider_ones_fit() {
        let (text, small, large) = (DataType::Utf8View, DataType::Int32, DataType::Int64);
        let found = [text.clone(), small.clone(), DataType::Null, large.clone()];
        let columns = usual_columns(&footers("a", &found));
        let seen: Vec<_> = columns
            .iter()
            .map(|column| (column.field.data_type().clone(), column.files, column.all))
            .collect();
        assert_eq!(seen, [(large.clone(), 2, 3)]);
        let differs = |found: DataType| differs(&Field::new("a", found, true), &columns).is_some();
        assert!(differs(text));
        assert!(!differs(small) && !differs(large) && !differs(DataType::Null));
    }
}
