//! Columns of Parquet files that are one table: which types fit together, and which file differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};

use crate::type_name;

/// A column in the type that it has in most files.
pub(super) struct UsualColumn {
    pub(super) field: FieldRef,
    /// Files that have it in this type, or in one that fits.
    files: usize,
    /// Files that have it, other than as nothing but nulls.
    all: usize,
}

/// The columns of all files, in the order of their first appearance; of equally frequent types,
/// that of the first file.
pub(super) fn usual_columns(files: &[&Schema]) -> Vec<UsualColumn> {
    let mut columns: Vec<(&str, Vec<(DataType, usize)>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for field in files.iter().flat_map(|columns| columns.fields()) {
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
pub(super) fn differs(field: &Field, usual: &[UsualColumn]) -> Option<(String, String)> {
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

    #[test]
    fn the_type_of_most_files_counts_and_wider_ones_fit() {
        let (text, small, large) = (DataType::Utf8View, DataType::Int32, DataType::Int64);
        let found = [text.clone(), small.clone(), DataType::Null, large.clone()];
        let file = |found: &DataType| Schema::new(vec![Field::new("a", found.clone(), true)]);
        let files: Vec<Schema> = found.iter().map(file).collect();
        let columns = usual_columns(&files.iter().collect::<Vec<_>>());
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
