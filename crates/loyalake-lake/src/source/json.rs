//! Columns of JSON files: every record is looked at, because the last one may have a new column.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::arrow::json::reader::infer_json_schema_from_iterator;
use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStoreExt};
use serde_json::Value;

use super::csv::BYTE_ORDER_MARK;
use super::place::Place;
use super::records::{Block, Fault, Position, blocks};
use super::text::{TextFile, bad_text};
use super::{Format, foreign_kind};
use crate::{BadFile, Result, type_name};

/// Finds the columns of a file.
pub(super) async fn open(place: &Place, file: &ObjectMeta) -> Result<TextFile> {
    let mut start = Position { byte: 0, line: 1 };
    if file.size > 0 {
        let bytes = place
            .reading
            .store
            .get_range(&file.location, 0..file.size.min(512))
            .await?;
        let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
            None => &bytes,
            Some(rest) => {
                start.byte = BYTE_ORDER_MARK.len() as u64;
                rest
            }
        };
        if let Some((problem, remedy)) = foreign(bytes) {
            let location = place.address(&file.location);
            return Err(BadFile {
                location,
                problem,
                remedy,
            }
            .into());
        }
    }
    let mut columns = Fields::empty();
    let blocks = blocks(
        Arc::clone(&place.reading.store),
        file.clone(),
        start,
        Format::Json,
    );
    let mut blocks = std::pin::pin!(blocks);
    while let Some(block) = blocks.try_next().await? {
        let found = match block {
            // parsing takes longer than reading: it has a thread of its own
            Ok(block) => tokio::task::spawn_blocking(move || columns_of(&block))
                .await
                .map_err(|error| datafusion::error::DataFusionError::ExecutionJoin(error.into()))?,
            Err(fault) => Err(fault),
        };
        let merged = found.and_then(|(found, place)| {
            merge_fields(&columns, &found).map_err(|problem| Fault { place, problem })
        });
        columns = merged.map_err(|fault| bad_text(place, file, &fault))?;
    }
    Ok(TextFile {
        meta: file.clone(),
        start,
        columns: Arc::new(Schema::new(columns)),
    })
}

fn foreign(start: &[u8]) -> Option<(String, String)> {
    let text = start.trim_ascii_start();
    if text.starts_with(b"[") {
        let problem = "is one JSON array".to_owned();
        return Some((
            problem,
            "write one object a line, as jq -c '.[]' does".to_owned(),
        ));
    }
    if text.is_empty() || text.starts_with(b"{") {
        return None;
    }
    let (kind, remedy) = foreign_kind(start, Format::Json)?;
    Some((format!("is no JSON: it is {kind}"), remedy))
}

/// The columns of a block's records.
fn columns_of(block: &Block) -> Result<(Fields, Position), Fault> {
    let mut columns = Fields::empty();
    for (place, record) in block.records(Format::Json) {
        let record = record.trim_ascii();
        if record.is_empty() {
            continue;
        }
        let fault = |problem: String| Fault { place, problem };
        let value: Value = serde_json::from_slice(record).map_err(|error| {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            let column = error.column();
            fault(format!("is no JSON object: {reason} at character {column}"))
        })?;
        let Value::Object(object) = &value else {
            return Err(fault("is no JSON object".to_owned()));
        };
        // most records have the columns that are known
        let is_known = |(name, value): (&String, &Value)| {
            let known = columns.find(name).map(|(_, field)| field.data_type());
            matches!(
                (value, known),
                (Value::Null, Some(_))
                    | (Value::String(_), Some(DataType::Utf8))
                    | (Value::Bool(_), Some(DataType::Boolean))
                    | (Value::Number(_), Some(DataType::Float64))
            ) || (value.is_i64() && known == Some(&DataType::Int64))
        };
        if object.iter().all(is_known) {
            continue;
        }
        let found = infer_json_schema_from_iterator(std::iter::once(Ok(&value)))
            .map_err(|error| fault(format!("has values that don't fit: {error}")))?;
        columns = merge_fields(&columns, found.fields()).map_err(fault)?;
    }
    Ok((columns, block.place))
}

/// The columns of both, each in a type that holds the values of both.
pub(super) fn merge_fields(one: &Fields, other: &Fields) -> Result<Fields, String> {
    let mut merged: Vec<FieldRef> = one.iter().cloned().collect();
    for field in other {
        match merged.iter_mut().find(|known| known.name() == field.name()) {
            None => merged.push(Arc::clone(field)),
            Some(known) => {
                let found = merge_types(known.data_type(), field.data_type());
                let data_type = found.ok_or_else(|| {
                    format!(
                        "has '{}' as {}, but it was {} before",
                        field.name(),
                        type_name(field.data_type()),
                        type_name(known.data_type())
                    )
                })?;
                *known = Arc::new(Field::new(field.name(), data_type, true));
            }
        }
    }
    Ok(merged.into())
}

/// A type that holds the values of both; text holds every number.
fn merge_types(one: &DataType, other: &DataType) -> Option<DataType> {
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (DataType::Null, known) | (known, DataType::Null) => Some(known.clone()),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => {
            Some(DataType::Float64)
        }
        (DataType::Struct(one), DataType::Struct(other)) => {
            merge_fields(one, other).ok().map(DataType::Struct)
        }
        (DataType::List(one), DataType::List(other)) => {
            let item = merge_types(one.data_type(), other.data_type())?;
            Some(DataType::new_list(item, true))
        }
        (one, other) if one.is_nested() || other.is_nested() => None,
        _ => Some(DataType::Utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Result<Vec<String>, (u64, String)> {
        let place = Position { byte: 0, line: 1 };
        let bytes = text.as_bytes().to_vec();
        let found = columns_of(&Block { bytes, place });
        let (fields, _) = found.map_err(|fault| (fault.place.line, fault.problem))?;
        let columns = fields
            .iter()
            .map(|field| format!("{} {}", field.name(), field.data_type()));
        Ok(columns.collect())
    }

    #[test]
    fn later_records_may_bring_columns_and_wider_types() {
        let text = "{\"a\":1,\"b\":null}\n\n{\"a\":1.5,\"c\":true}\n{\"b\":\"x\",\"c\":\"y\"}\n";
        let expected = ["a Float64", "b Utf8", "c Utf8"].map(str::to_owned);
        assert_eq!(columns(text), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_no_object_has_a_line() {
        assert_eq!(columns("{}\n7\n").map_err(|(line, _)| line), Err(2));
        assert_eq!(
            columns("{}\n{}\n{\"a\":\n").map_err(|(line, _)| line),
            Err(3)
        );
        let nested = "{\"a\":1}\n{\"a\":{\"b\":1}}\n";
        assert_eq!(columns(nested).map_err(|(line, _)| line), Err(2));
    }
}
