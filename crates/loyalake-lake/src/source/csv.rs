//! Header lines of CSV files: each file has its own, and is read by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::csv::reader::Format as CsvFormat;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use object_store::{ObjectMeta, ObjectStoreExt};

use super::place::Place;
use super::records::{Position, Splitter, StrayText};
use super::text::TextFile;
use super::{Format, foreign_kind};
use crate::{BadFile, Result};

/// Bytes that hold the header of most files.
const HEADER_BYTES: u64 = 64 << 10;

/// A header longer than this is none.
const LONGEST_HEADER_BYTES: u64 = 4 << 20;

/// What begins some files in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the header of a file.
pub(super) async fn open(place: &Place, file: &ObjectMeta) -> Result<TextFile> {
    let mut length = HEADER_BYTES;
    let (bytes, header) = loop {
        let end = file.size.min(length);
        let bytes = match end {
            0 => Vec::new(),
            _ => place
                .reading
                .store
                .get_range(&file.location, 0..end)
                .await?
                .to_vec(),
        };
        match header_line(&bytes) {
            Ok(Some((start, end))) => break (bytes, Some((start, end))),
            Ok(None) if end < file.size && length < LONGEST_HEADER_BYTES => length *= 8,
            Ok(None) if end == file.size => {
                let start = blank_start(&bytes);
                let end = bytes.len();
                break (bytes, (start < end).then_some((start, end)));
            }
            Ok(None) | Err(StrayText(_)) => break (bytes, None),
        }
    };
    let bad = |problem: String, remedy: String| BadFile {
        location: place.address(&file.location),
        problem,
        remedy,
    };
    if let Some((kind, remedy)) = foreign_kind(&bytes, Format::Csv) {
        return Err(bad(format!("is no CSV: it is {kind}"), remedy).into());
    }
    let again = || "write it again, or remove it".to_owned();
    let Some((start, end)) = header else {
        let problem = if file.size == 0 {
            "is empty"
        } else {
            "begins with no header line"
        };
        return Err(bad(problem.to_owned(), again()).into());
    };
    let columns = column_names(&bytes[start..end])
        .map_err(|problem| bad(format!("has a header line {problem}"), again()))?;
    if let Some((problem, remedy)) = wrong_columns(&columns) {
        return Err(bad(problem, remedy).into());
    }
    let fields = columns
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8, true));
    Ok(TextFile {
        meta: file.clone(),
        start: Position { byte: 0, line: 1 }.after(&bytes[..end]),
        columns: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
    })
}

/// Where the header line begins and ends.
fn header_line(bytes: &[u8]) -> Result<Option<(usize, usize)>, StrayText> {
    let start = blank_start(bytes);
    let end = Splitter::new(Format::Csv).record_end(&bytes[start..])?;
    Ok(end.map(|end| (start, start + end)))
}

/// Where a byte order mark and blank lines at the beginning end.
fn blank_start(bytes: &[u8]) -> usize {
    let rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    bytes.len() - rest.len() + blank.count()
}

fn column_names(line: &[u8]) -> std::result::Result<Vec<String>, String> {
    if let Err(error) = std::str::from_utf8(line) {
        return Err(format!("that is not UTF-8 at byte {}", error.valid_up_to()));
    }
    if line.contains(&0) {
        return Err("with null bytes".to_owned());
    }
    let header = CsvFormat::default()
        .with_header(true)
        .infer_schema(line, Some(0));
    let (header, _) = header.map_err(|error| format!("that can't be read: {error}"))?;
    let names = header.fields().iter().enumerate();
    let names = names.map(|(index, field)| match field.name().trim() {
        // as of the row numbers that some tools write first
        "" => format!("column {}", index + 1),
        name => name.to_owned(),
    });
    Ok(names.collect())
}

/// Names that can't be told apart, or that are one.
fn wrong_columns(names: &[String]) -> Option<(String, String)> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
        let problem = format!("has two columns with the name '{twice}'");
        return Some((problem, "rename one of them".to_owned()));
    }
    let [only] = names else { return None };
    let found = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];
    let (_, separator) = found
        .into_iter()
        .find(|(separator, _)| only.contains(*separator))?;
    let problem = format!("has columns that are separated by {separator}");
    Some((problem, "write it again with commas".to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_trimmed_and_never_empty() {
        let names = column_names(b",\"a b\", c \r\n").expect("a header");
        assert_eq!(names, ["column 1", "a b", "c"]);
    }

    #[test]
    fn marks_and_blank_lines_are_no_header() {
        let text = b"\xef\xbb\xbf\r\n\na,b\r\n1,2\r\n";
        assert!(matches!(header_line(text), Ok(Some((6, 10)))));
        assert!(matches!(header_line(b"\n"), Ok(None)));
    }
}
