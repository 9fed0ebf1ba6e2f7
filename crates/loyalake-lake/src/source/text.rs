//! Text files as one table: CSV and JSON, decoded in parallel, columns found by name in each file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::{csv, json};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as QueryResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;

use super::place::Place;
use super::records::{Block, Fault, Position, blocks};
use super::{CHECKS_AT_ONCE, FILE_COLUMN, Files, Format, ROW_COLUMN};
use crate::{BadFile, LakeError, Result};

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// Blocks that are decoded together.
const DECODED_AT_ONCE: usize = 2;

/// A text file of which the columns are known.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    pub(super) meta: ObjectMeta,
    /// Where its records begin.
    pub(super) start: Position,
    pub(super) columns: SchemaRef,
}

/// Keeps the files whose columns can be told.
pub(super) async fn check(
    place: &Place,
    format: Format,
    files: &mut Files,
) -> Result<Vec<TextFile>> {
    let open = async |file: &ObjectMeta| match format {
        Format::Json => super::json::open(place, file).await,
        _ => super::csv::open(place, file).await,
    };
    // of CSV a header is looked at, of JSON everything
    let at_once = match format {
        Format::Json => DECODED_AT_ONCE,
        _ => CHECKS_AT_ONCE,
    };
    let found = stream::iter(&files.good)
        .map(open)
        .buffered(at_once)
        .collect()
        .await;
    let opened = files.keep(found)?;
    let strangers = strangers(&opened);
    let found = opened.into_iter().zip(strangers).map(|(file, other)| {
        let Some(other) = other else {
            return Ok(file);
        };
        let other = place.address(&other);
        Err(BadFile {
            location: place.address(&file.meta.location),
            problem: format!("has no column in common with '{other}'"),
            remedy: "write again the one without its header line, or move it".to_owned(),
        }
        .into())
    });
    let found = found.collect();
    files.keep(found)
}

/// For each file that has no column in common with any other kind of file, one of the others: one
/// of them begins without a header, perhaps.
fn strangers(files: &[TextFile]) -> Vec<Option<Path>> {
    let names = |file: &TextFile| -> BTreeSet<String> {
        let fields = file.columns.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    };
    let mut kinds: BTreeMap<BTreeSet<String>, &Path> = BTreeMap::new();
    for file in files {
        kinds.entry(names(file)).or_insert(&file.meta.location);
    }
    let stranger_to = |kind: &BTreeSet<String>| {
        let mut others = kinds
            .iter()
            .filter(|(other, _)| *other != kind && !other.is_empty());
        let (first, path) = others.next().filter(|_| !kind.is_empty())?;
        let is_alone = first.is_disjoint(kind) && others.all(|(other, _)| other.is_disjoint(kind));
        is_alone.then(|| (*path).clone())
    };
    let found: BTreeMap<_, _> = kinds.keys().map(|kind| (kind, stranger_to(kind))).collect();
    let of_file = |file: &TextFile| found.get(&names(file)).cloned().flatten();
    files.iter().map(of_file).collect()
}

/// The table of files that were checked, with the columns of their folders last.
pub(super) fn table(
    place: &Place,
    format: Format,
    mut files: Vec<TextFile>,
    folders: &[String],
    partitions: usize,
) -> Result<StreamingTable> {
    let mut columns = Schema::empty();
    for file in &files {
        let merged = super::json::merge_fields(columns.fields(), file.columns.fields());
        let fault = |problem| Fault {
            place: file.start,
            problem,
        };
        columns = Schema::new(merged.map_err(|text| bad_text(place, &file.meta, &fault(text)))?);
    }
    if format == Format::Json {
        let columns = Arc::new(columns.clone());
        for file in &mut files {
            file.columns = Arc::clone(&columns);
        }
    }
    let mut fields = columns.fields().to_vec();
    let named = folders
        .iter()
        .map(|name| Field::new(name, DataType::Utf8, true));
    let places = [
        Field::new(FILE_COLUMN, DataType::Utf8, true),
        Field::new(ROW_COLUMN, DataType::Int64, false),
    ];
    for field in named.chain(places) {
        if columns.field_with_name(field.name()).is_err() {
            fields.push(Arc::new(field));
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let partitions = partitions.clamp(1, files.len().max(1));
    let mut parts = vec![Vec::new(); partitions];
    for (index, file) in files.into_iter().enumerate() {
        parts[index % partitions].push(file);
    }
    let parts = parts.into_iter().map(|files| {
        let (place, schema) = (place.clone(), Arc::clone(&schema));
        Arc::new(Part {
            place,
            format,
            files,
            schema,
        }) as Arc<dyn PartitionStream>
    });
    Ok(StreamingTable::try_new(
        Arc::clone(&schema),
        parts.collect(),
    )?)
}

/// A share of the files.
#[derive(Debug)]
struct Part {
    place: Place,
    format: Format,
    files: Vec<TextFile>,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (place, format, schema) = (self.place.clone(), self.format, self.schema.clone());
        let rows = stream::iter(self.files.clone())
            .map(move |file| rows(&place, format, file, Arc::clone(&schema)))
            .flatten();
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }
}

/// The rows of a file.
fn rows(
    place: &Place,
    format: Format,
    file: TextFile,
    schema: SchemaRef,
) -> impl Stream<Item = QueryResult<RecordBatch>> + use<> {
    let place = place.clone();
    let mut values = place.folder_values(&file.meta.location);
    let name = place.short_name(&file.meta.location);
    values.push((FILE_COLUMN.to_owned(), Some(name)));
    let mut rows_before = 0;
    let store = Arc::clone(&place.reading.store);
    blocks(store, file.meta.clone(), file.start, format)
        .map_ok(move |block| {
            let columns = Arc::clone(&file.columns);
            let decoded = tokio::spawn(async move { decode(&block?, format, &columns) });
            let (place, meta) = (place.clone(), file.meta.clone());
            async move {
                let decoded = decoded
                    .await
                    .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
                decoded.map_err(|fault| bad_text(&place, &meta, &fault))
            }
        })
        .try_buffered(DECODED_AT_ONCE)
        .map_err(|error: LakeError| DataFusionError::External(Box::new(error)))
        .map_ok(|batches| stream::iter(batches).map(Ok::<_, DataFusionError>))
        .try_flatten()
        .map_ok(move |batch: RecordBatch| {
            let first = rows_before;
            rows_before += batch.num_rows();
            (first, batch)
        })
        .map(move |batch: QueryResult<_>| {
            let (first, batch) = batch?;
            adapt(&batch, first, &schema, &values)
        })
}

/// The rows of a block.
fn decode(block: &Block, format: Format, columns: &SchemaRef) -> Result<Vec<RecordBatch>, Fault> {
    let decoded = decode_bytes(&block.bytes, format, columns);
    decoded.map_err(|error| {
        // the record at fault, found by decoding each by itself
        let fault = block.records(format).find_map(|(place, record)| {
            let error = decode_bytes(record, format, columns).err()?;
            let problem = describe(record, &error);
            Some(Fault { place, problem })
        });
        fault.unwrap_or_else(|| Fault {
            place: block.place,
            problem: format!("begins a block that can't be read: {error}"),
        })
    })
}

fn describe(record: &[u8], error: &ArrowError) -> String {
    if let Err(invalid) = std::str::from_utf8(record) {
        return format!("is not UTF-8 after {} bytes", invalid.valid_up_to());
    }
    let text = error.to_string();
    match text.split_once("incorrect number of fields for line 1, expected ") {
        Some((_, counts)) => match counts.split_once(" got ") {
            Some((header, found)) => format!("has {found} values, but the header {header}"),
            None => text,
        },
        None => format!("can't be read: {text}"),
    }
}

/// What both decoders do.
trait Decode {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError>;
    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError>;
}

impl Decode for csv::reader::Decoder {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        self.decode(bytes)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.flush()
    }
}

impl Decode for json::reader::Decoder {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        self.decode(bytes)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        self.flush()
    }
}

fn decode_bytes(
    bytes: &[u8],
    format: Format,
    columns: &SchemaRef,
) -> Result<Vec<RecordBatch>, ArrowError> {
    let columns = Arc::clone(columns);
    if format == Format::Json {
        let decoder = json::ReaderBuilder::new(columns)
            .with_batch_size(BATCH_ROWS)
            .with_coerce_primitive(true)
            .build_decoder()?;
        return batches(bytes, decoder);
    }
    let builder = csv::ReaderBuilder::new(columns).with_batch_size(BATCH_ROWS);
    batches(bytes, builder.build_decoder())
}

fn batches(mut bytes: &[u8], mut decoder: impl Decode) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut batches = Vec::new();
    loop {
        let read = decoder.decode(bytes)?;
        bytes = &bytes[read..];
        match decoder.flush()? {
            Some(batch) => batches.push(batch),
            None if bytes.is_empty() || read == 0 => return Ok(batches),
            None => {}
        }
    }
}

/// The batch with the columns of the table; `first` is the number of its first row.
fn adapt(
    batch: &RecordBatch,
    first: usize,
    schema: &SchemaRef,
    values: &[(String, Option<String>)],
) -> QueryResult<RecordBatch> {
    let rows = batch.num_rows();
    let column = |field: &Arc<Field>| -> QueryResult<ArrayRef> {
        if let Some(column) = batch.column_by_name(field.name()) {
            return Ok(Arc::clone(column));
        }
        if field.name() == ROW_COLUMN {
            let numbers = (first..first + rows).map(|row| i64::try_from(row).unwrap_or(i64::MAX));
            return Ok(Arc::new(numbers.collect::<Int64Array>()));
        }
        match values.iter().find(|(name, _)| name == field.name()) {
            Some((_, value)) => ScalarValue::Utf8(value.clone()).to_array_of_size(rows),
            None => Ok(new_null_array(field.data_type(), rows)),
        }
    };
    let columns = schema
        .fields()
        .iter()
        .map(column)
        .collect::<QueryResult<_>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The error of a fault in a file.
pub(super) fn bad_text(place: &Place, file: &ObjectMeta, fault: &Fault) -> LakeError {
    let Position { byte, line } = fault.place;
    BadFile {
        location: place.address(&file.location),
        problem: format!("line {line} (byte {byte}) {}", fault.problem),
        remedy: "mend or remove the line".to_owned(),
    }
    .into()
}
