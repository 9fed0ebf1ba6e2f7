//! Text files in blocks of whole records, each with its place in the file.
//!
//! A file is read in ranges, the next ones while the first is worked on. Where a record ends is
//! found byte by byte, because a quoted value may hold line ends: so blocks can be decoded
//! independently of each other, and a quote that is never closed is an error and not a long value.

use std::sync::Arc;

use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use object_store::{GetOptions, ObjectMeta, ObjectStore};

use super::Format;
use crate::{LakeError, Result};

/// Bytes that are asked for at once: few requests, and little memory.
const RANGE_BYTES: u64 = 2 << 20;

/// Ranges that are on their way.
const RANGES_AHEAD: usize = 2;

/// A record longer than this is no record.
const LONGEST_RECORD_BYTES: usize = 64 << 20;

/// Whole records of a file.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Where it begins in the file.
    pub(super) place: Position,
}

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) byte: u64,
    /// Counted from 1.
    pub(super) line: u64,
}

/// What is wrong with a text file, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Position,
    pub(super) problem: String,
}

/// Finds the ends of records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Splitter {
    format: Format,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a value, where a quote opens.
    Value,
    /// In a value without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes, or that is the first of two.
    Closed,
}

/// Nothing but the end of the value may follow a quote that closes.
#[derive(Debug)]
pub(super) struct StrayText(pub(super) usize);

impl Splitter {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            state: State::Value,
        }
    }

    /// The length of the record that ends first in `bytes`, which go on where the last ones ended.
    pub(super) fn record_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, StrayText> {
        if self.format == Format::Json {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            return Ok(end.map(|end| end + 1));
        }
        for (index, byte) in bytes.iter().enumerate() {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Closed,
                (State::Value | State::Closed, b'"') | (State::Quoted, _) => State::Quoted,
                (_, b'\n' | b'\r') => {
                    self.state = State::Value;
                    return Ok(Some(index + 1));
                }
                (_, b',') => State::Value,
                (State::Closed, _) => return Err(StrayText(index)),
                (State::Value | State::Plain, _) => State::Plain,
            };
        }
        Ok(None)
    }
}

/// The blocks of a file, from the byte on that `start` names.
pub(super) fn blocks(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
    start: Position,
    format: Format,
) -> impl Stream<Item = Result<Result<Block, Fault>>> + Send + 'static {
    let reader = Reader {
        ranges: ranges(store, file, start.byte),
        splitter: Splitter::new(format),
        rest: Vec::new(),
        place: start,
        is_over: false,
    };
    stream::try_unfold(reader, async |mut reader: Reader| {
        let block = reader.next_block().await?;
        Ok(block.map(|block| (block, reader)))
    })
}

/// The bytes of a file; a file that is replaced meanwhile is an error where the store can tell.
fn ranges(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
    start: u64,
) -> BoxStream<'static, object_store::Result<Vec<u8>>> {
    let step = usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX);
    let starts = (start..file.size).step_by(step);
    stream::iter(starts)
        .map(move |start| {
            let (store, file) = (Arc::clone(&store), file.clone());
            async move {
                let options = GetOptions {
                    range: Some((start..file.size.min(start + RANGE_BYTES)).into()),
                    if_match: file.e_tag,
                    ..GetOptions::default()
                };
                let found = store.get_opts(&file.location, options).await?;
                Ok(found.bytes().await?.to_vec())
            }
        })
        .buffered(RANGES_AHEAD)
        .boxed()
}

struct Reader {
    ranges: BoxStream<'static, object_store::Result<Vec<u8>>>,
    splitter: Splitter,
    /// Bytes of a record whose end is not read yet.
    rest: Vec<u8>,
    /// Where they begin.
    place: Position,
    is_over: bool,
}

impl Reader {
    async fn next_block(&mut self) -> Result<Option<Result<Block, Fault>>> {
        while !self.is_over {
            let Some(range) = self.ranges.try_next().await.map_err(LakeError::from)? else {
                return Ok(self.last_block());
            };
            let mut end = self.rest.len();
            let mut records = 0;
            self.rest.extend_from_slice(&range);
            loop {
                match self.splitter.record_end(&self.rest[end..]) {
                    Ok(Some(length)) => {
                        end += length;
                        records = end;
                    }
                    Ok(None) => break,
                    Err(StrayText(index)) => {
                        let problem = "has text after a quote that closes a value";
                        return Ok(Some(Err(self.fault(end + index, problem))));
                    }
                }
            }
            if records > 0 {
                return Ok(Some(Ok(self.take(records))));
            }
            if self.rest.len() > LONGEST_RECORD_BYTES {
                let problem = format!(
                    "begins a record of more than {} MB; is a quote not closed?",
                    LONGEST_RECORD_BYTES >> 20
                );
                return Ok(Some(Err(self.fault(0, &problem))));
            }
        }
        Ok(None)
    }

    /// What follows the last line end.
    fn last_block(&mut self) -> Option<Result<Block, Fault>> {
        self.is_over = true;
        if self.splitter.state == State::Quoted {
            return Some(Err(
                self.fault(0, "begins a record with a quote that is never closed")
            ));
        }
        if self.rest.is_empty() {
            return None;
        }
        self.rest.push(b'\n');
        Some(Ok(self.take(self.rest.len())))
    }

    fn take(&mut self, length: usize) -> Block {
        let rest = self.rest.split_off(length);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let place = self.place;
        self.place = place.after(&bytes);
        Block { bytes, place }
    }

    fn fault(&mut self, index: usize, problem: &str) -> Fault {
        self.is_over = true;
        Fault {
            place: self.place.after(&self.rest[..index]),
            problem: problem.to_owned(),
        }
    }
}

impl Position {
    /// The place behind some bytes.
    pub(super) fn after(self, bytes: &[u8]) -> Self {
        let lines = bytes.iter().map(|byte| u64::from(*byte == b'\n'));
        Self {
            byte: self.byte + bytes.len() as u64,
            line: self.line + lines.sum::<u64>(),
        }
    }
}

impl Block {
    /// Its records, each with its place.
    pub(super) fn records(&self, format: Format) -> impl Iterator<Item = (Position, &[u8])> {
        let mut splitter = Splitter::new(format);
        let (mut rest, mut place) = (self.bytes.as_slice(), self.place);
        std::iter::from_fn(move || {
            let end = splitter.record_end(rest).ok()??;
            let (record, others) = rest.split_at(end);
            let found = (place, record);
            (rest, place) = (others, place.after(record));
            Some(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(format: Format, text: &str) -> Vec<usize> {
        let place = Position { byte: 0, line: 1 };
        let bytes = text.as_bytes().to_vec();
        let block = Block { bytes, place };
        block
            .records(format)
            .map(|(_, record)| record.len())
            .collect()
    }

    #[test]
    fn line_ends_between_quotes_end_no_record() {
        assert_eq!(ends(Format::Csv, "a,\"b\nc\",d\ne\n"), [10, 2]);
        assert_eq!(ends(Format::Csv, "a,\"b\"\"\n\"\n"), [9]);
        assert_eq!(ends(Format::Csv, "5\" pipe,1\nx\n"), [10, 2]);
        assert_eq!(ends(Format::Json, "{\"a\":\"\\\"\"}\n{}\n"), [11, 3]);
    }

    #[test]
    fn text_after_a_closing_quote_is_stray() {
        let mut splitter = Splitter::new(Format::Csv);
        let end = splitter.record_end(b"1,\"web\n2,\"web\"\n");
        assert!(matches!(end, Err(StrayText(10))), "{end:?}");
    }
}
