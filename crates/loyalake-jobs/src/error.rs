//! What can stop a project from being read or run, and where in the user's files.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::common::Span;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::tokenizer::Location;
use loyalake_lake::{BadFile, LakeError};

/// The result of reading or running a project.
pub type Result<T, E = JobsError> = std::result::Result<T, E>;

/// A place in a text file, to point at.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file's name, as the user knows it.
    pub file: String,
    /// The whole text.
    pub text: Arc<str>,
    /// First byte of what is pointed at.
    pub offset: usize,
    /// Number of bytes pointed at.
    pub length: usize,
}

impl Place {
    /// The place of bytes `offset..offset + length`.
    pub fn new(file: &str, text: &Arc<str>, offset: usize, length: usize) -> Self {
        let end = text.ceil_char_boundary(offset.saturating_add(length));
        let offset = text.floor_char_boundary(offset);
        let length = end - offset;
        Self {
            file: file.to_owned(),
            text: Arc::clone(text),
            offset,
            length,
        }
    }

    /// The first place where `word` stands in the text, or its beginning.
    pub fn of_word(file: &str, text: &Arc<str>, word: &str) -> Self {
        Self::of_word_after(file, text, 0, word)
    }

    /// The first place after byte `start` where `word` stands in the text, or that byte.
    fn of_word_after(file: &str, text: &Arc<str>, start: usize, word: &str) -> Self {
        match text[start..].find(word) {
            Some(offset) => Self::new(file, text, start + offset, word.len()),
            None => Self::new(file, text, start, 0),
        }
    }

    /// The place of a line and column, both counted from 1.
    pub fn at(file: &str, text: &Arc<str>, line: u64, column: u64) -> Self {
        let line = usize::try_from(line.max(1) - 1).unwrap_or_default();
        let column = usize::try_from(column.max(1) - 1).unwrap_or_default();
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = text.get(start..).unwrap_or_default();
        let inside: usize = rest.chars().take(column).map(char::len_utf8).sum();
        let word = rest.get(inside..).unwrap_or_default();
        let length = word.find(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
        let length = length.unwrap_or(word.len()).max(1);
        Self::new(file, text, start + inside, length)
    }

    fn of_span(file: &str, text: &Arc<str>, span: Span) -> Self {
        Self::at(file, text, span.start.line, span.start.column)
    }

    /// Line number, counted from 1.
    pub fn line(&self) -> usize {
        self.text[..self.offset].matches('\n').count() + 1
    }
}

/// A condition that stops a run or its preparation.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// A configuration that can't be used: exit code 2.
    #[error("{message}")]
    Config {
        /// What is wrong and how to fix it.
        message: String,
        /// Where in the configuration.
        place: Option<Place>,
    },
    /// A file of the project that can't be read.
    #[error("{}: {source}; it must be there, readable, and text in UTF-8", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A folder for what queries put on disk that can't be made.
    #[error(
        "spill folder {}: {source}; name one that can be written to as engine.spill_directory",
        path.display()
    )]
    Spill {
        /// The folder that it would be in.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A SQL file that does not parse, plan or hold what its header says.
    #[error("{}:{}: {message}", place.file, place.line())]
    Sql {
        /// What is wrong and how to fix it.
        message: String,
        /// Where in the file.
        place: Place,
    },
    /// A source that does not keep its contract.
    #[error("source '{source_name}' ({location}): {message}")]
    Contract {
        /// The source.
        source_name: String,
        /// The file or folder, or the SQL file that maps it.
        location: String,
        /// What is wrong and how to fix it.
        message: String,
    },
    /// Files of a source that can't be read.
    #[error(
        "source '{source_name}': {}{}",
        files.first().map(ToString::to_string).unwrap_or_default(),
        more(files.len().saturating_sub(1))
    )]
    BadFiles {
        /// The source.
        source_name: String,
        /// The files, as far as they are known.
        files: Vec<BadFile>,
    },
    /// Files that read each other.
    #[error(
        "circular jobs: {}; break the circle by reading a source or an earlier relation",
        chain.join(" → ")
    )]
    Cycle {
        /// The relations, the first one repeated at the end.
        chain: Vec<String>,
    },
    /// Audits with severity error returned rows: exit code 3.
    #[error(
        "{} failed, nothing was published:\n{}",
        count(failures.len(), "audit"),
        failures.join("\n")
    )]
    AuditsFailed {
        /// One line for each failed audit.
        failures: Vec<String>,
    },
    /// Audits with severity quarantine returned rows: exit code 4.
    #[error(
        "too many quarantined rows, nothing was published:\n{}\n\
         mend the source, or raise `max_quarantined_share`",
        failures.join("\n")
    )]
    TooManyQuarantined {
        /// One line for each failed audit.
        failures: Vec<String>,
    },
    /// Somebody else published the same date while this run was working: exit code 1.
    #[error(
        "run {other} published {date} while this run was working, nothing of this run is visible; \
         run again if its inputs were newer"
    )]
    LostRace {
        /// The date that both wanted.
        date: NaiveDate,
        /// The run that won.
        other: String,
    },
    /// A failure while publishing that could not be undone.
    #[error(
        "publishing failed ({cause}), and could not be taken back ({source}); readers of schema \
         latest are not affected, and the next run puts the tables in order"
    )]
    NotUndone {
        /// The first failure.
        cause: Box<JobsError>,
        /// Why undoing failed.
        source: Box<LakeError>,
    },
    /// A reader or an operator that stopped in the middle of its work.
    #[error("the run stopped at a defect of the program: {message}; nothing was published")]
    Panicked {
        /// What it said last.
        message: String,
    },
    /// Ctrl-C before anything was committed.
    #[error("interrupted, nothing was published")]
    Interrupted,
    /// Housekeeping of a lake without tables.
    #[error("nothing is published in '{location}' yet; `loyalake run` does that")]
    NothingPublished {
        /// The output.
        location: String,
    },
    /// A date that no run has published.
    #[error("no run of {date} is published; the nearest is of {nearest}")]
    NotPublished {
        /// The date.
        date: NaiveDate,
        /// The published date that is nearest to it.
        nearest: NaiveDate,
    },
    /// A run that the ledger's history does not know.
    #[error("run '{run_id}' has published nothing here; the last runs are {}", last.join(", "))]
    UnknownRun {
        /// The run.
        run_id: String,
        /// The last runs, with their dates.
        last: Vec<String>,
    },
    /// A run whose tables can't be had back.
    #[error("can't go back to run {run_id}: {gone} is gone; {reason}")]
    GoneBehind {
        /// The run.
        run_id: String,
        /// What the run had published: a file of a table's version.
        gone: String,
        /// Who took it away.
        reason: String,
    },
    /// A rollback while customers are half erased.
    #[error("erasure {receipt_id} was interrupted; finish it first with `loyalake erase`")]
    UnfinishedErasure {
        /// The receipt.
        receipt_id: String,
    },
    /// Customers that were erased while a run was working.
    #[error(
        "customers were erased while this run was working, nothing of it is visible; run again"
    )]
    ErasedMeanwhile,
    /// An export into a folder where something is.
    #[error(
        "export folder '{location}' is not empty, '{found}' is there; name another folder, or \
         remove what is left of an unfinished export"
    )]
    Occupied {
        /// The folder.
        location: String,
        /// A file in it.
        found: String,
    },
    /// A query that failed while it ran.
    #[error("{relation}: {}", tidy_message(&source.find_root().to_string()))]
    Execution {
        /// The relation that was computed.
        relation: String,
        /// The engine's words.
        source: DataFusionError,
    },
    /// The lake.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl JobsError {
    /// The process's exit code: 2 for usage and configuration, 3 audits, 4 quarantine, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. }
            | Self::Lake(
                LakeError::BadLocation { .. }
                | LakeError::Missing { .. }
                | LakeError::Outside { .. }
                | LakeError::IsDelta { .. }
                | LakeError::Secret { .. }
                | LakeError::SecretInLocation { .. }
                | LakeError::BadStoragePrefix { .. }
                | LakeError::TwoWays { .. }
                | LakeError::FolderOfHttp { .. }
                | LakeError::NoConditionalPut { .. }
                | LakeError::UnknownOption { .. },
            ) => 2,
            Self::AuditsFailed { .. } => 3,
            Self::TooManyQuarantined { .. } => 4,
            _ => 1,
        }
    }

    /// Whether commits of the failed run could not be taken back.
    pub(crate) fn left_commits(&self) -> bool {
        matches!(self, Self::NotUndone { .. })
    }

    /// Whether there was too little memory for a query.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        let (Self::Execution { source, .. } | Self::Lake(LakeError::Query(source))) = self else {
            return false;
        };
        matches!(source.find_root(), DataFusionError::ResourcesExhausted(_))
    }

    /// The place to point at, if there is one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Config { place, .. } => place.as_ref(),
            Self::Sql { place, .. } => Some(place),
            _ => None,
        }
    }

    /// An error of parsing or planning SQL; `file` is what messages call the text, and `start`
    /// where the statement begins in it.
    pub fn sql(
        file: &str,
        text: &Arc<str>,
        start: Option<Location>,
        error: &DataFusionError,
    ) -> Self {
        let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        let root = error.find_root().to_string();
        let message = tidy_message(&root);
        let place = match (span, line_and_column(&root)) {
            (Some(span), _) => Place::of_span(file, text, span),
            (None, Some((line, column))) => Place::at(file, text, line, column),
            (None, None) => {
                let start = start.unwrap_or(Location::new(1, 1));
                let start = Place::at(file, text, start.line, start.column).offset;
                Place::of_word_after(file, text, start, &quoted_word(&message))
            }
        };
        Self::Sql { message, place }
    }
}

/// "1 audit", "2 audits".
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// " (and 2 more files)", or nothing.
fn more(files: usize) -> String {
    match files {
        0 => String::new(),
        _ => format!(" (and {} more)", count(files, "file")),
    }
}

/// The engine's message without its prefixes.
fn tidy_message(message: &str) -> String {
    let first = message.split("\n\nbacktrace").next().unwrap_or(message);
    let prefixes = [
        "Error during planning: ",
        "SQL error: ",
        "Schema error: ",
        "This feature is not implemented: ",
        "Execution error: ",
    ];
    if first.contains("RecursionLimitExceeded") {
        return "nested too deeply; give the inner parts names in a `with` clause".to_owned();
    }
    let mut rest = first;
    for prefix in prefixes {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    if let Some((_, why)) = rest.split_once("Error: Failed to allocate") {
        let why = why.replace('\n', " ");
        return format!("out of memory, failed to allocate{why}; raise engine.memory_limit");
    }
    let rest = rest
        .strip_prefix("ParserError(\"")
        .map_or(rest, |inner| inner.trim_end_matches("\")"));
    rest.replace('\n', " ")
}

/// "… at Line: 3, Column: 5", as the parser writes it.
fn line_and_column(message: &str) -> Option<(u64, u64)> {
    let rest = message.split("Line: ").nth(1)?;
    let (line, rest) = rest.split_once(", Column: ")?;
    let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The last name of the first quoted word of a message: what the message is about.
fn quoted_word(message: &str) -> String {
    let quoted = message.split(['\'', '"', '`']).nth(1).unwrap_or(message);
    quoted.rsplit('.').next().unwrap_or(quoted).to_owned()
}
