//! Results as tables, CSV and JSON.

use std::fmt::Debug;
use std::io::Write;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{
    EncoderOptions, JsonFormat, NullableEncoder, Writer, WriterBuilder, make_encoder,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use indicatif::HumanCount;
use loyalake_jobs::JobsError;

use super::Format;
use crate::failure::Result;
use crate::text_table::{TextTable, terminal_width};

/// Rows of a printed table: more than anybody reads, few enough to be laid out at once.
const MOST_ROWS: usize = 200;

/// How many rows a result has, and how many were printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    all: usize,
    shown: usize,
}

impl Count {
    /// For the line under a table.
    pub(super) fn in_words(self) -> String {
        let all = HumanCount(self.all as u64);
        match (self.all, self.shown) {
            (1, _) => "1 row".to_owned(),
            (rows, shown) if rows == shown => format!("{all} rows"),
            (_, shown) => format!("{all} rows, the first {shown} shown; csv and json give all"),
        }
    }
}

/// Prints a result while it comes.
pub(super) async fn print(
    mut rows: SendableRecordBatchStream,
    format: Format,
    out: &mut impl Write,
    failed: impl Fn(DataFusionError) -> JobsError,
) -> Result<Count> {
    let schema = rows.schema();
    let mut count = Count { all: 0, shown: 0 };
    let mut kept: Vec<RecordBatch> = Vec::new();
    let mut json = JsonRows::new();
    if format == Format::Csv {
        let titles = schema.fields().iter().map(|field| quoted(field.name()));
        writeln!(out, "{}", titles.collect::<Vec<_>>().join(","))?;
    }
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(&failed)?;
        count.all += batch.num_rows();
        match format {
            Format::Csv => out.write_all(&csv(&batch)?)?,
            Format::Json => out.write_all(&json.batch(&batch)?)?,
            Format::Table => {
                let batch = batch.slice(0, batch.num_rows().min(MOST_ROWS - count.shown));
                count.shown += batch.num_rows();
                kept.push(batch);
            }
        }
    }
    match format {
        Format::Csv => {}
        Format::Json => out.write_all(&json.end()?)?,
        Format::Table => {
            let table = TextTable::from_batches(&schema, &kept)?;
            out.write_all(table.render(terminal_width()).as_bytes())?;
        }
    }
    Ok(count)
}

/// An array of objects, one on each line.
#[derive(Debug, Default)]
struct RowALine;

impl JsonFormat for RowALine {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        Ok(writer.write_all(if is_first_row { b"" } else { b",\n" })?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"]\n")?)
    }
}

/// JSON in pieces, one for each batch.
struct JsonRows(Writer<Vec<u8>, RowALine>);

impl JsonRows {
    fn new() -> Self {
        Self(
            WriterBuilder::new()
                .with_explicit_nulls(true)
                .build(Vec::new()),
        )
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        self.0.write(batch)?;
        Ok(std::mem::take(self.0.get_mut()))
    }

    fn end(mut self) -> Result<Vec<u8>, ArrowError> {
        self.0.finish()?;
        Ok(self.0.into_inner())
    }
}

/// The cells of a column as CSV.
enum CsvColumn<'a> {
    Text(ArrayFormatter<'a>),
    Nested(NullableEncoder<'a>),
}

impl<'a> CsvColumn<'a> {
    fn try_new(
        field: &'a FieldRef,
        values: &'a dyn Array,
        json: &'a EncoderOptions,
        text: &'a FormatOptions<'a>,
    ) -> Result<Self, ArrowError> {
        if field.data_type().is_nested() && !matches!(field.data_type(), DataType::Dictionary(..)) {
            return Ok(Self::Nested(make_encoder(field, values, json)?));
        }
        Ok(Self::Text(ArrayFormatter::try_new(values, text)?))
    }

    fn cell(&mut self, row: usize) -> Result<String, ArrowError> {
        match self {
            Self::Text(values) => Ok(quoted(&values.value(row).try_to_string()?)),
            Self::Nested(values) => {
                let mut json = Vec::new();
                values.encode(row, &mut json);
                Ok(quoted(&String::from_utf8_lossy(&json)))
            }
        }
    }
}

/// The rows of a batch, NULL as nothing.
fn csv(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let json = EncoderOptions::default().with_explicit_nulls(true);
    let text = FormatOptions::new();
    let schema = batch.schema();
    let mut columns = Vec::new();
    for (field, values) in schema.fields().iter().zip(batch.columns()) {
        let nulls = values.logical_nulls();
        columns.push((CsvColumn::try_new(field, values, &json, &text)?, nulls));
    }
    let mut lines = Vec::new();
    for row in 0..batch.num_rows() {
        for (index, (column, nulls)) in columns.iter_mut().enumerate() {
            if index > 0 {
                lines.push(b',');
            }
            if !nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                lines.extend(column.cell(row)?.into_bytes());
            }
        }
        lines.push(b'\n');
    }
    Ok(lines)
}

/// A cell by RFC 4180; an empty text is quoted, so that it is not NULL.
fn quoted(cell: &str) -> String {
    if cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use datafusion::prelude::SessionContext;

    use super::*;

    const QUERY: &str = "
        select * from (values
            (1, 'a, \"b\"', cast(1.50 as decimal(18, 4)), make_array(1, null), struct('x' as name)),
            (2, '', null, null, null)
        ) as rows (id, text, money, list, record)";

    async fn printed(query: &str, format: Format) -> (Count, String) {
        let frame = SessionContext::new().sql(query).await.expect("a plan");
        let rows = frame.execute_stream().await.expect("rows");
        let mut out = Vec::new();
        let source = |source| JobsError::Execution {
            relation: "query".to_owned(),
            source,
        };
        let count = print(rows, format, &mut out, source)
            .await
            .expect("a result");
        (count, String::from_utf8(out).expect("text"))
    }

    #[tokio::test]
    async fn csv_tells_null_from_empty_and_nests_json() {
        let expected = "id,text,money,list,record\n\
            1,\"a, \"\"b\"\"\",1.5000,\"[1,null]\",\"{\"\"name\"\":\"\"x\"\"}\"\n\
            2,\"\",,,\n";
        assert_eq!(printed(QUERY, Format::Csv).await.1, expected);
    }

    #[tokio::test]
    async fn json_is_an_array_of_objects_with_nulls() {
        let (_, text) = printed(QUERY, Format::Json).await;
        let rows: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(rows[0]["record"]["name"], "x");
        assert_eq!(rows[0]["list"], serde_json::json!([1, null]));
        assert_eq!(rows[1]["money"], serde_json::Value::Null);
        assert_eq!(text.lines().count(), 2);
    }

    #[tokio::test]
    async fn an_empty_result_has_a_header_or_an_empty_array() {
        let query = "select 1 as a where false";
        assert_eq!(printed(query, Format::Csv).await.1, "a\n");
        assert_eq!(printed(query, Format::Json).await.1, "[]\n");
        assert_eq!(printed(query, Format::Table).await.1, "a\n─\n");
    }

    #[tokio::test]
    async fn a_long_table_shows_its_first_rows_and_counts_all() {
        let (count, text) = printed("select * from generate_series(1, 30000)", Format::Table).await;
        assert_eq!(
            count,
            Count {
                all: 30_000,
                shown: MOST_ROWS
            }
        );
        assert_eq!(text.lines().count(), MOST_ROWS + 2);
        assert_eq!(
            count.in_words(),
            "30,000 rows, the first 200 shown; csv and json give all"
        );
    }
}
