//! Inputs: files of several formats, opened as tables.
//!
//! The files of a source are listed once, when a run begins: everything that reads the source
//! reads exactly these. Each is checked then, and [`Source::refuse_changes`] tells at the end
//! whether they were the same all the time.

mod bundles;
mod counted;
mod csv;
mod json;
mod parquet;
mod parquet_columns;
pub(crate) mod place;
mod records;
mod text;
mod verify;

use std::fmt::Write;
use std::path::Path as LocalPath;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use object_store::ObjectMeta;
use object_store::path::Path;
use url::{Position, Url};
use uuid::Uuid;

use crate::delta::DeltaVersion;
use crate::{BadFile, LakeError, Result, Storage};
pub use bundles::{Bundle, MOST_SINGLE_FILES, Version, bundles};
use counted::Reading;
use place::Place;
pub use place::stay_inside;

/// The column that says which file of a source a row is from.
pub const FILE_COLUMN: &str = "source_file";

/// The column with a row's number in its file, counted from 0.
pub const ROW_COLUMN: &str = "source_row";

/// How many files are looked at together.
const CHECKS_AT_ONCE: usize = 16;

/// Formats of input files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated text with a header line; every column is text until a contract casts it.
    Csv,
    /// One JSON object a line.
    Json,
    /// A Delta table, at its newest version.
    Delta,
}

/// What becomes of a source when one of its files can't be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBadFile {
    /// The run stops.
    #[default]
    Stop,
    /// The file is left out.
    Skip,
}

/// What to open.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// A file, a folder (also Hive-partitioned), a pattern or a URL.
    pub location: &'a str,
    /// The folder that relative locations start from, and have to stay in.
    pub base: &'a LocalPath,
    /// Format of the files.
    pub format: Format,
    /// What to do about bad files.
    pub on_bad_file: OnBadFile,
    /// Whether `..` and links may lead out of the folder.
    pub allow_outside: bool,
    /// Files that turned out to be bad while they were read.
    pub left_out: &'a [BadFile],
}

/// An input as it is found when a run starts.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its rows, with [`FILE_COLUMN`] and [`ROW_COLUMN`] where the files have none of their own.
    pub table: Arc<dyn TableProvider>,
    /// Its files.
    pub files: Vec<ObjectMeta>,
    /// Files that were left out.
    pub left_out: Vec<BadFile>,
    /// What deserves a look.
    pub notes: Vec<String>,
    origin: Origin,
}

/// Where the files of a source are.
#[derive(Debug, Clone)]
enum Origin {
    Files(Place),
    Delta {
        url: Url,
        reading: Reading,
        version: u64,
    },
}

/// The files of a source, checked.
#[derive(Debug, Default)]
struct Files {
    good: Vec<ObjectMeta>,
    bad: Vec<BadFile>,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Delta => "delta",
        }
    }

    /// How the names of its files end.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Parquet | Self::Delta => &[".parquet"],
            Self::Csv => &[".csv"],
            Self::Json => &[".json", ".jsonl", ".ndjson"],
        }
    }
}

impl Source {
    /// A value that changes when any file is added, removed or replaced.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            let _ = writeln!(text, "{}", version(file));
        }
        Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
    }

    /// Bytes that were read of its files so far, by checks and by queries; not the log of a Delta
    /// table, and what other machines read.
    pub fn bytes_read(&self) -> u64 {
        match &self.origin {
            Origin::Files(place) => place.reading.bytes(),
            Origin::Delta { reading, .. } => reading.bytes(),
        }
    }

    /// Whether the file of a store is one of the source's, which queries read.
    pub fn holds(&self, store: &ObjectStoreUrl, file: &PartitionedFile) -> bool {
        let own = match &self.origin {
            Origin::Files(place) => Some(place.store_url()),
            Origin::Delta { url, .. } => ObjectStoreUrl::parse(&url[..Position::BeforePath]).ok(),
        };
        own.as_ref() == Some(store) && self.files.contains(&file.object_meta)
    }

    /// Whether `file` is one of the source's.
    pub fn has(&self, file: &BadFile) -> bool {
        let address = |meta: &ObjectMeta| match &self.origin {
            Origin::Files(place) => place.address(&meta.location),
            Origin::Delta { url, .. } => place::address(url, &meta.location),
        };
        self.files.iter().any(|meta| address(meta) == file.location)
    }

    /// Refuses to go on when a file is not what it was when the source was opened. Files that came
    /// later don't matter, and those of a Delta version never change.
    ///
    /// # Errors
    /// [`LakeError::SourceChanged`], or what the store says.
    pub async fn refuse_changes(&self) -> Result<()> {
        match &self.origin {
            Origin::Files(place) => place.refuse_changes(&self.files).await,
            Origin::Delta { .. } => Ok(()),
        }
    }

    /// The file that the version of a Delta table names and that is not there, as an error.
    ///
    /// # Errors
    /// [`LakeError::MissingDeltaFile`], or what the store says.
    pub async fn refuse_missing(&self) -> Result<()> {
        let Origin::Delta {
            url,
            reading,
            version,
        } = &self.origin
        else {
            return Ok(());
        };
        match place::first_missing(&reading.store, &self.files).await? {
            None => Ok(()),
            Some(path) => Err(LakeError::MissingDeltaFile {
                table: url.to_string(),
                location: place::address(url, &path),
                version: *version,
            }),
        }
    }

    /// The first file that can't be read to its end, or all of them, found by reading each: for the
    /// error of a query that names no file. Text files are named at once.
    ///
    /// # Errors
    /// What the store says.
    pub async fn broken_files(&self, all: bool) -> Result<Vec<BadFile>> {
        match &self.origin {
            Origin::Files(place) if place.format == Format::Parquet => {
                verify::broken_files(&place.reading.store, place.url(), &self.files, all).await
            }
            Origin::Files(_) => Ok(Vec::new()),
            Origin::Delta { url, reading, .. } => {
                verify::broken_files(&reading.store, url, &self.files, all).await
            }
        }
    }
}

/// Opens a source.
///
/// # Errors
/// [`LakeError::Missing`] for a local path that is not there, [`LakeError::NoFiles`] for an empty
/// one, [`LakeError::Outside`] for one that leads where it must not, [`LakeError::BadFile`].
pub async fn open(state: &SessionState, storage: &Storage, wanted: &Wanted<'_>) -> Result<Source> {
    let runtime = state.runtime_env();
    if wanted.format == Format::Delta {
        return open_delta(storage, wanted, runtime).await;
    }
    let place = Place::open(storage, wanted, runtime).await?;
    let listing = place.list().await?;
    if listing.files.is_empty() {
        return Err(place.no_files(&listing.others));
    }
    if !wanted.allow_outside {
        place.refuse_links(&listing.files)?;
    }
    let (folders, misplaced) = place.folder_columns(&listing.files);
    let mut files = Files {
        good: listing.files,
        bad: [wanted.left_out, &misplaced].concat(),
    };
    files.bad.extend(place.dangling_links());
    files.leave_out_bad(&place);
    let table: Arc<dyn TableProvider> = if wanted.format == Format::Parquet {
        let footers = parquet::check(&place, &mut files).await?;
        files.refuse(wanted)?;
        Arc::new(parquet::table(&place, &files.good, footers, &folders))
    } else {
        let columns = text::check(&place, wanted.format, &mut files).await?;
        files.refuse(wanted)?;
        let partitions = state.config().target_partitions();
        Arc::new(text::table(
            &place,
            wanted.format,
            columns,
            &folders,
            partitions,
        )?)
    };
    Ok(Source {
        table,
        notes: notes(&place, &listing.others),
        files: files.good,
        left_out: files.bad,
        origin: Origin::Files(place),
    })
}

impl Files {
    fn leave_out_bad(&mut self, place: &Place) {
        let Self { good, bad } = self;
        good.retain(|file| {
            let location = place.address(&file.location);
            bad.iter().all(|bad| bad.location != location)
        });
    }

    /// Keeps the files of which something was found out, and what that is.
    fn keep<T>(&mut self, found: Vec<Result<T>>) -> Result<Vec<T>> {
        let mut kept = Vec::new();
        for (file, found) in std::mem::take(&mut self.good).into_iter().zip(found) {
            match found {
                Ok(found) => {
                    self.good.push(file);
                    kept.push(found);
                }
                Err(LakeError::BadFile(bad)) => self.bad.push(bad),
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    /// Stops at a bad file where none may be left out, and where none is good.
    fn refuse(&self, wanted: &Wanted<'_>) -> Result<()> {
        match self.bad.first() {
            Some(bad) if wanted.on_bad_file == OnBadFile::Stop => Err(bad.clone().into()),
            Some(bad) if self.good.is_empty() => Err(LakeError::AllBad {
                location: wanted.location.to_owned(),
                files: self.bad.len(),
                first: Box::new(bad.clone()),
            }),
            _ => Ok(()),
        }
    }
}

/// Changes when a file is replaced.
fn version(file: &ObjectMeta) -> String {
    let written = || file.last_modified.to_rfc3339();
    let stamp = file.e_tag.clone().unwrap_or_else(written);
    format!("{}\t{}\t{stamp}", file.location, file.size)
}

/// A folder's files with another ending are no part of the source, which may be a mistake.
fn notes(place: &Place, others: &[Path]) -> Vec<String> {
    let note = |first: &Path| {
        let are = if others.len() == 1 {
            "file is"
        } else {
            "files are"
        };
        let (number, first) = (others.len(), place.address(first));
        format!("{number} {are} not read, because of the ending: '{first}'")
    };
    others.first().map(note).into_iter().collect()
}

/// The newest version of a Delta table, with exactly its files.
async fn open_delta(
    storage: &Storage,
    wanted: &Wanted<'_>,
    runtime: &RuntimeEnv,
) -> Result<Source> {
    place::absolute(wanted)?;
    let location = storage.locate(wanted.location, wanted.base, runtime)?;
    let version = DeltaVersion::open(&location, None).await?;
    let version = version.ok_or_else(|| LakeError::NoFiles {
        location: wanted.location.to_owned(),
        format: wanted.format.name().to_owned(),
        others: String::new(),
    })?;
    let reading = Reading::new(Arc::clone(location.store()), location.url());
    Ok(Source {
        table: Arc::new(version.table()?.read_with(reading.parquet())),
        files: version.files()?.into_iter().map(|file| file.meta).collect(),
        left_out: Vec::new(),
        notes: Vec::new(),
        origin: Origin::Delta {
            url: location.url().clone(),
            reading,
            version: version.version(),
        },
    })
}

/// What a file is that begins like another format than the one configured, and what to do.
fn foreign_kind(start: &[u8], format: Format) -> Option<(&'static str, String)> {
    let kinds: [(&[u8], &str, Option<Format>); 9] = [
        (b"PAR1", "a Parquet file", Some(Format::Parquet)),
        (b"\x1f\x8b", "compressed with gzip", None),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd", None),
        (b"BZh", "compressed with bzip2", None),
        (b"\xfd7zXZ", "compressed with xz", None),
        (b"PK\x03\x04", "a ZIP archive or an Excel file", None),
        (b"\xff\xfe", "text in UTF-16", None),
        (b"\xfe\xff", "text in UTF-16", None),
        (b"{", "JSON", Some(Format::Json)),
    ];
    let known = kinds
        .into_iter()
        .find(|(magic, _, _)| start.starts_with(magic));
    let is_text = start
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    let (_, kind, its_format) = known.or(is_text.then_some((b"", "text", Some(Format::Csv))))?;
    if its_format == Some(format) {
        return None;
    }
    let remedy = match its_format {
        Some(other) => format!("set format = \"{}\", or move the file", other.name()),
        None => format!("turn it into plain {} in UTF-8", format.name()),
    };
    Some((kind, remedy))
}
