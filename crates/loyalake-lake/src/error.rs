//! What can go wrong between the lake and us.

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

/// The result of everything that touches the lake.
pub type Result<T, E = LakeError> = std::result::Result<T, E>;

/// A file of a source that can't be read: broken, or of another kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("file '{location}' {problem}; {remedy}")]
pub struct BadFile {
    /// The file.
    pub location: String,
    /// What is wrong, and where in the file.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// A condition of the lake that stops an operation.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The text is neither a path nor a URL of a known store.
    #[error(
        "location '{location}' is not a path or an s3://, gs://, az:// or file:// URL: {reason}"
    )]
    BadLocation {
        /// What the configuration says.
        location: String,
        /// Why it can't be understood.
        reason: String,
    },
    /// A local path that is not there.
    #[error(
        "location '{location}' does not exist; create it or mend the path (it is relative to the \
        config file)"
    )]
    Missing {
        /// The absolute path.
        location: String,
    },
    /// The place exists and holds no file of the format.
    #[error(
        "location '{location}' holds no {format} files{others}; check the folder, the pattern and \
        `format`"
    )]
    NoFiles {
        /// The absolute path or URL.
        location: String,
        /// The configured format.
        format: String,
        /// What there is instead, if anything: ", but others such as …".
        others: String,
    },
    /// A file of a source that can't be read.
    #[error(transparent)]
    BadFile(#[from] BadFile),
    /// A source of which nothing can be read.
    #[error("none of the {files} files of '{location}' can be read; the first: {first}")]
    AllBad {
        /// What the configuration says.
        location: String,
        /// How many there are.
        files: usize,
        /// One of them.
        first: Box<BadFile>,
    },
    /// A relative location, or a link below a location, that leads somewhere else.
    #[error(
        "'{location}' leads outside of '{folder}', to '{target}'; move the data, name it by its \
        absolute path, or set allow_outside = true"
    )]
    Outside {
        /// The location or link.
        location: String,
        /// Where it has to stay.
        folder: String,
        /// Where it leads.
        target: String,
    },
    /// A Delta table that is configured as a folder of files.
    #[error(
        "location '{location}' is a Delta table, whose folder also holds files that no longer \
        count; set format = \"delta\""
    )]
    IsDelta {
        /// The folder.
        location: String,
    },
    /// A file that was replaced or removed after the run had listed it.
    #[error(
        "file '{location}' was {change} while the run was reading its source, nothing was \
        published; run again"
    )]
    SourceChanged {
        /// The file.
        location: String,
        /// What became of it.
        change: &'static str,
    },
    /// A file that a version of a Delta table names, and that is gone.
    #[error(
        "delta table '{table}': file '{location}' of version {version} is missing; restore the \
        file, or repair the table with the tool that writes it"
    )]
    MissingDeltaFile {
        /// The table.
        table: String,
        /// The file.
        location: String,
        /// The version that is read.
        version: u64,
    },
    /// A secret in the configuration.
    #[error(
        "storage option '{key}' is a secret; set it in the environment ({variable}) and remove \
        it from the config"
    )]
    Secret {
        /// The option.
        key: String,
        /// The environment variable to use in its place.
        variable: String,
    },
    /// A URL that may hold a secret, which is not repeated.
    #[error(
        "location '{address}' has a user, a password, a query or a fragment in its URL, which may \
        be a secret; remove it and set credentials in the environment (in a pattern, write * for ?)"
    )]
    SecretInLocation {
        /// The scheme and the host.
        address: String,
    },
    /// A table in `[storage]` whose name is no URL.
    #[error("storage table '{prefix}' is no URL prefix; write it as [storage.\"s3://{prefix}\"]")]
    BadStoragePrefix {
        /// Its name.
        prefix: String,
    },
    /// Two locations in one store that have different options.
    #[error(
        "store '{address}' is reached with the options of {one} and with those of {other}; give \
        all locations in it the same ones"
    )]
    TwoWays {
        /// The store.
        address: String,
        /// A table of options.
        one: String,
        /// Another one.
        other: String,
    },
    /// A folder or a pattern on a web server.
    #[error(
        "location '{location}' can't be listed or written to; http:// and https:// URLs name \
        single files to read, use s3://, gs://, az:// or a path for the rest"
    )]
    FolderOfHttp {
        /// The URL.
        location: String,
    },
    /// An output where two runs could publish the same version of a table.
    #[error(
        "output '{location}' is in a store without conditional put ({reason}), so two runs could \
        overwrite each other's commits; use a store that has it (S3, GCS, Azure, MinIO, R2), or \
        remove aws_conditional_put = \"disabled\""
    )]
    NoConditionalPut {
        /// The output.
        location: String,
        /// How it was found.
        reason: String,
    },
    /// An option that no store knows.
    #[error(
        "storage option '{key}' is not an option of S3, GCS or Azure; did you mean '{nearest}'?"
    )]
    UnknownOption {
        /// The option.
        key: String,
        /// The most similar known one.
        nearest: String,
    },
    /// A Delta table that needs what this reader does not do.
    #[error(
        "delta table '{location}' uses {feature}, which is not supported; rewrite the table \
        without it or export it as Parquet"
    )]
    UnsupportedDelta {
        /// The table.
        location: String,
        /// The table feature.
        feature: String,
    },
    /// Another publication that does not end.
    #[error(
        "run {other} is publishing to '{location}' and does not come to an end; see what became \
        of it, and run again"
    )]
    Busy {
        /// The output.
        location: String,
        /// The run that is waited for.
        other: String,
    },
    /// A run that others took for dead.
    #[error(
        "run {run_id} gave no sign of life for so long that another run took it for dead, nothing \
        of it is visible; run again"
    )]
    TakenForDead {
        /// This run.
        run_id: String,
    },
    /// A commit of a publication that a later one has settled.
    #[error(
        "table '{location}': another run has settled this publication, nothing of it is visible; \
        run again"
    )]
    Fenced {
        /// The table.
        location: String,
    },
    /// A table that somebody else changed while it was being rewritten.
    #[error(
        "table '{location}': another program has changed its files meanwhile, nothing was changed \
         here; run the command again"
    )]
    Overtaken {
        /// The table.
        location: String,
    },
    /// A file of ours in the lake that can't be understood.
    #[error(
        "control file '{file}' can't be read or written: {source}; if it was changed by hand, \
        restore it, else remove it when no run is at work"
    )]
    Control {
        /// The file.
        file: String,
        /// The parser's words.
        source: serde_json::Error,
    },
    /// A published table whose columns changed in a way that old dates can't follow.
    #[error(
        "table '{table}': column '{column}' is {found} here and {published} in the published \
        table; publish to a new `lake.output` or restore the column's type"
    )]
    SchemaChanged {
        /// The published table.
        table: String,
        /// The column.
        column: String,
        /// Its type in this run.
        found: String,
        /// Its type in the lake.
        published: String,
    },
    /// A column type that a Delta table can't hold.
    #[error(
        "table '{table}': column '{column}' has type {found}, which Delta tables can't hold; \
        cast it in the final select"
    )]
    UnsupportedType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A file that can't be written to its end.
    #[error("file '{file}' can't be written: {source}; is there space, and the right to write?")]
    Write {
        /// The file.
        file: String,
        /// The writer's words.
        source: Box<ParquetError>,
    },
    /// An error of the Delta library.
    #[error("delta table '{location}': {source}")]
    Delta {
        /// The table.
        location: String,
        /// The library's words.
        source: Box<deltalake::DeltaTableError>,
    },
    /// An error of the object store.
    #[error("object store: {}", store_words(.0))]
    Store(#[from] object_store::Error),
    /// An error of a query.
    #[error(transparent)]
    Query(DataFusionError),
}

impl From<DataFusionError> for LakeError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::ObjectStore(error) => Self::Store(*error),
            other => Self::Query(other),
        }
    }
}

/// What a store says, without the name of the kind of error where there is only one kind.
fn store_words(error: &object_store::Error) -> String {
    match error {
        object_store::Error::Generic { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
