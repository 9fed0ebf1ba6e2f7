//! Inputs: files of several formats, opened as tables.

use std::fmt::Write;
use std::path::Path as LocalPath;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig};
use datafusion::execution::context::SessionState;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;
use uuid::Uuid;

use crate::delta::DeltaVersion;
use crate::{LakeError, Result, Storage};

/// Bytes of a Parquet file without its footer: a magic word at each end, and the footer's length.
const PARQUET_ENDS: u64 = 12;

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

/// An input as it is found when a run starts.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its rows.
    pub table: Arc<dyn TableProvider>,
    /// Its files.
    pub files: Vec<ObjectMeta>,
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

    fn listing(self) -> Option<(Arc<dyn FileFormat>, &'static str)> {
        match self {
            Self::Parquet => Some((Arc::new(ParquetFormat::default()), ".parquet")),
            Self::Csv => {
                let format = CsvFormat::default()
                    .with_has_header(true)
                    .with_schema_infer_max_rec(0);
                Some((Arc::new(format), ".csv"))
            }
            Self::Json => Some((Arc::new(JsonFormat::default()), ".json")),
            Self::Delta => None,
        }
    }
}

impl Source {
    /// A value that changes when any file is added, removed or replaced.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            let stamp = file
                .e_tag
                .clone()
                .unwrap_or_else(|| file.last_modified.to_rfc3339());
            let _ = writeln!(text, "{}\t{}\t{stamp}", file.location, file.size);
        }
        Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
    }
}

/// Opens what is at `location`: a file, a folder (also Hive-partitioned), a glob or a URL. A glob
/// sees no Hive folders: `orders/*.parquet` also means `orders/year=2024/a.parquet`.
///
/// # Errors
/// [`LakeError::Missing`] for a local path that is not there, [`LakeError::NoFiles`] for an empty
/// one.
pub async fn open(
    state: &SessionState,
    storage: &Storage,
    location: &str,
    base: &LocalPath,
    format: Format,
) -> Result<Source> {
    let absolute = absolute(location, base)?;
    let Some((file_format, extension)) = format.listing() else {
        let place = storage.locate(location, base, state.runtime_env())?;
        let version = DeltaVersion::open(&place, None).await?;
        let version = version.ok_or_else(|| no_files(&absolute, format))?;
        let files = version.files()?.into_iter().map(|file| file.meta).collect();
        return Ok(Source {
            table: Arc::new(version.table()?),
            files,
        });
    };
    let url = storage.files(&absolute, state.runtime_env()).await?;
    let store = state.runtime_env().object_store(&url)?;
    let extension = if url.is_collection() { extension } else { "" };
    let listed = url.list_all_files(state, store.as_ref(), extension).await?;
    let mut files: Vec<ObjectMeta> = listed.try_collect().await?;
    files.retain(|file| file.size > 0);
    if files.is_empty() {
        return Err(no_files(&absolute, format));
    }
    files.sort_by(|one, two| one.location.cmp(&two.location));
    if format == Format::Parquet {
        refuse_broken_parquet(store.as_ref(), &files).await?;
    }
    let options = ListingOptions::new(file_format).with_file_extension(extension);
    let config = ListingTableConfig::new(url).with_listing_options(options);
    let config = config
        .infer_partitions_from_path(state)
        .await?
        .infer_schema(state)
        .await?;
    Ok(Source {
        table: Arc::new(ListingTable::try_new(config)?),
        files,
    })
}

/// A file that was cut off while it was written is told by its end: the length of the footer, and a
/// magic word.
async fn refuse_broken_parquet(store: &dyn ObjectStore, files: &[ObjectMeta]) -> Result<()> {
    let check = async |file: &ObjectMeta| {
        let broken = |reason: String| LakeError::BrokenParquet {
            location: file.location.to_string(),
            reason,
        };
        if file.size < PARQUET_ENDS {
            return Err(broken(format!("it has only {} bytes", file.size)));
        }
        let end = store
            .get_range(&file.location, file.size - 8..file.size)
            .await?;
        let (length, magic) = end.split_at(4);
        let length = length
            .iter()
            .rev()
            .fold(0, |sum, byte| sum * 256 + u64::from(*byte));
        if magic != b"PAR1" {
            return Err(broken(format!(
                "byte {} is no PAR1, the end of a file",
                file.size - 4
            )));
        }
        if length + PARQUET_ENDS > file.size {
            return Err(broken(format!(
                "byte {} says {length} bytes of footer, but the file has {}",
                file.size - 8,
                file.size
            )));
        }
        Ok(())
    };
    stream::iter(files)
        .map(check)
        .buffer_unordered(CHECKS_AT_ONCE)
        .try_collect()
        .await
}

/// The location as `DataFusion` reads it: a URL, or an absolute path that exists.
fn absolute(location: &str, base: &LocalPath) -> Result<String> {
    let of_url = location
        .starts_with("file://")
        .then(|| Url::parse(location));
    let path = match of_url.and_then(|url| url.ok()?.to_file_path().ok()) {
        Some(path) => path,
        None if location.contains("://") => return Ok(location.to_owned()),
        None => base.join(location),
    };
    let text = path.to_string_lossy().into_owned();
    let is_glob = text.contains(['*', '?', '[']);
    if !is_glob && !path.exists() {
        return Err(LakeError::Missing { location: text });
    }
    Ok(text)
}

fn no_files(location: &str, format: Format) -> LakeError {
    LakeError::NoFiles {
        location: location.to_owned(),
        format: format.name().to_owned(),
    }
}
