//! The configuration of a project: one TOML file, see `loyalake init`.

mod engine;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loyalake_lake::source::{Format, OnBadFile};
use loyalake_lake::{StorageOptions, mask_secrets};
use serde::Deserialize;

use crate::{JobsError, Place, Result};
pub use engine::{Engine, EngineKind, memory_limit};

/// A configuration and the file that it is from.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// The file's text, for messages that point into it.
    pub text: Arc<str>,
    /// `[lake]`
    pub lake: Lake,
    /// `[sources.<name>]`
    pub sources: BTreeMap<String, SourceConfig>,
    /// `[sql]`
    pub sql: SqlConfig,
    /// `[parameters]`
    pub parameters: toml::Table,
    /// `[engine]`
    pub engine: Engine,
    /// `[maintenance]`
    pub maintenance: Maintenance,
    /// `[storage]`
    pub storage: StorageOptions,
}

/// Where results go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lake {
    /// The folder of the published tables: a path relative to the configuration, or a URL.
    pub output: String,
    /// The folder for intermediate files; default: a folder beside `output`.
    pub scratch: Option<String>,
}

impl Lake {
    /// The folder for intermediate files.
    pub(crate) fn scratch_folder(&self) -> String {
        let beside = || format!("{}_scratch", self.output.trim_end_matches('/'));
        self.scratch.clone().unwrap_or_else(beside)
    }
}

/// How a lake is kept in order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// `loyalake maintain` drops dates that lie more days than this before the newest one.
    pub keep_days: Option<u32>,
}

/// One input.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A file, a folder, a glob or a URL.
    pub location: String,
    /// Format of the files.
    #[serde(default)]
    pub format: SourceFormat,
    /// Whether a file that can't be read stops the run, or is left out.
    #[serde(default)]
    pub on_bad_file: BadFilePolicy,
    /// Whether `..` and links may lead out of the configuration's folder, or the source's.
    #[serde(default)]
    pub allow_outside: bool,
}

/// What becomes of a run when a file can't be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BadFilePolicy {
    /// It stops.
    #[default]
    Stop,
    /// The file is left out, and listed in the report.
    Skip,
}

impl From<BadFilePolicy> for OnBadFile {
    fn from(policy: BadFilePolicy) -> Self {
        match policy {
            BadFilePolicy::Stop => Self::Stop,
            BadFilePolicy::Skip => Self::Skip,
        }
    }
}

/// Formats of input files, by name.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// Apache Parquet.
    #[default]
    Parquet,
    /// Comma-separated text with a header line.
    Csv,
    /// One JSON object a line.
    Json,
    /// A Delta table.
    Delta,
}

impl From<SourceFormat> for Format {
    fn from(format: SourceFormat) -> Self {
        match format {
            SourceFormat::Parquet => Self::Parquet,
            SourceFormat::Csv => Self::Csv,
            SourceFormat::Json => Self::Json,
            SourceFormat::Delta => Self::Delta,
        }
    }
}

/// The user's own SQL files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlConfig {
    /// A folder with `staging/`, `intermediate/`, `marts/`, `audits/`, `sources/`.
    pub overrides: Option<PathBuf>,
    /// Whether `..` and links may lead out of the configuration's folder, or of `overrides`.
    #[serde(default)]
    pub allow_outside: bool,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    lake: Lake,
    #[serde(default)]
    sources: BTreeMap<String, SourceConfig>,
    #[serde(default)]
    sql: SqlConfig,
    #[serde(default)]
    parameters: toml::Table,
    #[serde(default)]
    engine: Engine,
    #[serde(default)]
    maintenance: Maintenance,
    #[serde(default)]
    storage: toml::Table,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// A file that is not there, is not TOML, or has keys that mean nothing.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| JobsError::Config {
            message: format!(
                "{}: {error}; name a config file with --config",
                path.display()
            ),
            place: None,
        })?;
        Self::parse(path, &text)
    }

    /// Reads a configuration from its text; `path` is what relative paths start from.
    ///
    /// # Errors
    /// As for [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let document = toml::from_str::<Document>(text);
        // messages show lines of it
        let text: Arc<str> = Arc::from(mask_secrets(text));
        let document = document.map_err(|error| toml_error(path, &text, &error))?;
        let mut config = Self {
            path: path.to_owned(),
            text,
            lake: document.lake,
            sources: document.sources,
            sql: document.sql,
            parameters: document.parameters,
            engine: document.engine,
            maintenance: document.maintenance,
            storage: StorageOptions::default(),
        };
        config.storage = config.storage_options(document.storage)?;
        config.memory_limit()?;
        config.local_below()?;
        config.refuse_partial_delta()?;
        config.check_url()?;
        if config.engine.partitions == Some(0) {
            return Err(config.error(
                "engine.partitions must be at least 1, but is 0",
                "partitions",
            ));
        }
        Ok(config)
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &Path {
        let parent = self.path.parent().unwrap_or(Path::new(""));
        if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        }
    }

    /// A version of a Delta table is all of its files.
    fn refuse_partial_delta(&self) -> Result<()> {
        let skips = |source: &SourceConfig| {
            matches!(source.format, SourceFormat::Delta)
                && source.on_bad_file == BadFilePolicy::Skip
        };
        match self.sources.iter().find(|(_, source)| skips(source)) {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!(
                    "sources.{name}: on_bad_file = \"skip\" is for files, but a Delta table is \
                    read whole or not at all; remove the key"
                );
                Err(self.error(&message, "on_bad_file"))
            }
        }
    }

    /// The options in `[storage]`, and those in its tables. No message shows a value.
    fn storage_options(&self, storage: toml::Table) -> Result<StorageOptions> {
        let text = |key: &str, value: toml::Value| match value {
            toml::Value::String(text) => Ok(text),
            toml::Value::Boolean(_) | toml::Value::Integer(_) => Ok(value.to_string()),
            _ => {
                let message =
                    format!("storage option '{key}' must be a text, a number or a boolean");
                Err(self.error(&message, key))
            }
        };
        let mut options = StorageOptions::default();
        for (key, value) in storage {
            if let toml::Value::Table(table) = value {
                let table = table.into_iter().map(|(key, value)| {
                    let value = text(&key, value)?;
                    Ok((key, value))
                });
                options.locations.insert(key, table.collect::<Result<_>>()?);
            } else {
                let value = text(&key, value)?;
                options.general.insert(key, value);
            }
        }
        Ok(options)
    }

    /// An error that points at `word` in the file.
    pub fn error(&self, message: &str, word: &str) -> JobsError {
        let file = self.path.display().to_string();
        let place = Place::of_word(&file, &self.text, word);
        JobsError::Config {
            message: message.to_owned(),
            place: Some(place),
        }
    }
}

/// The parser's words, with the nearest known key where one is unknown.
fn toml_error(path: &Path, text: &Arc<str>, error: &toml::de::Error) -> JobsError {
    let mut message = mask_secrets(error.message());
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field")
        && let Some(found) = quoted.next()
        && let Some(nearest) = nearest(found, quoted)
    {
        message = format!("unknown key '{found}'; did you mean '{nearest}'?");
    }
    let span = error.span().unwrap_or(0..0);
    let place = Place::new(&path.display().to_string(), text, span.start, span.len());
    JobsError::Config {
        message,
        place: Some(place),
    }
}

/// The candidate that looks most like `word`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(word, candidate);
    candidates
        .into_iter()
        .max_by(|one, two| likeness(one).total_cmp(&likeness(two)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn message(text: &str) -> String {
        Config::parse(Path::new("lake.toml"), text)
            .expect_err("a wrong config")
            .to_string()
    }

    #[test]
    fn unknown_keys_name_the_nearest_known_one() {
        let text = "[lake]\noutput = \"lake\"\n[engine]\nmemory_limt = \"1GB\"\n";
        assert_eq!(
            message(text),
            "unknown key 'memory_limt'; did you mean 'memory_limit'?"
        );
    }
}
