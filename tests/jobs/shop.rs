//! A shop in a temporary folder: its sources are written by SQL, its tables read by SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::SessionContext;
use loyalake_jobs::run::Event;
use loyalake_jobs::{Config, JobsError, Observer, Project, RunOptions, RunReport, analyst, run};
use tempfile::TempDir;

/// A project with its lake.
pub(crate) struct Shop {
    folder: TempDir,
    sources: BTreeMap<String, String>,
    parameters: String,
    engine: String,
}

/// An observer that does something once, when a relation begins.
struct Meanwhile<F> {
    relation: String,
    deed: F,
}

impl<F: Fn() + Send + Sync> Observer for Meanwhile<F> {
    fn event(&self, event: Event<'_>) {
        if matches!(event, Event::Started { name, .. } if name == self.relation) {
            (self.deed)();
        }
    }
}

/// An observer that shows nothing.
pub(crate) struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event<'_>) {}
}

impl Shop {
    /// A shop without sources.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            folder,
            sources: BTreeMap::new(),
            parameters: String::new(),
            engine: String::new(),
        }
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the result of `sql` as the source `name`; again to replace it.
    pub(crate) async fn given(&mut self, name: &str, sql: &str) {
        let location = self.path().join(format!("{name}.parquet"));
        std::fs::create_dir_all(location.parent().expect("a folder")).expect("a folder is made");
        let mut session = SessionContext::new();
        loyalake_functions::register_all(&mut session).expect("our functions");
        for function in loyalake_functions::table_functions() {
            session.register_udtf(function.name(), Arc::clone(function.function()));
        }
        let frame = session.sql(sql).await.expect("the given rows are SQL");
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        let location = location.to_str().expect("a path in UTF-8").to_owned();
        frame
            .write_parquet(&location, options, None)
            .await
            .expect("the given rows are written");
        self.source(name, &format!("{name}.parquet"), "parquet");
    }

    /// Says where the source `name` is; again to say another place.
    pub(crate) fn source(&mut self, name: &str, location: &str, format: &str) {
        let entry = format!("location = \"{location}\"\nformat = \"{format}\"\n");
        self.sources.insert(name.to_owned(), entry);
    }

    /// Adds a line of TOML to the source `name`.
    pub(crate) fn also_source(&mut self, name: &str, line: &str) {
        let entry = self.sources.get_mut(name).expect("a source");
        entry.push_str(line);
        entry.push('\n');
    }

    /// Leaves the files of the source `name` where they are.
    pub(crate) fn forget(&mut self, name: &str) {
        self.sources.remove(name);
    }

    /// Limits the memory of runs.
    pub(crate) fn memory_limit(&mut self, size: &str) {
        self.engine(&format!("memory_limit = \"{size}\""));
    }

    /// Sets how queries are run, as a line of TOML.
    pub(crate) fn engine(&mut self, line: &str) {
        self.engine = format!("[engine]\n{line}\n");
    }

    /// Sets a parameter, as a line of TOML.
    pub(crate) fn parameter(&mut self, line: &str) {
        self.parameters.push_str(line);
        self.parameters.push('\n');
    }

    /// Writes an override such as `audits/x.sql`.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.path().join("sql").join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
        std::fs::write(path, text).expect("a file is written");
    }

    /// The project as it stands.
    pub(crate) fn project(&self) -> Result<Project, JobsError> {
        let path = self.path().join("lake.toml");
        Project::open(Config::parse(&path, &self.config())?)
    }

    /// Writes the configuration to `lake.toml`, for others to read.
    pub(crate) fn save_config(&self) {
        let path = self.path().join("lake.toml");
        std::fs::write(path, self.config()).expect("a file is written");
    }

    fn config(&self) -> String {
        let mut text = "[lake]\noutput = \"lake\"\n".to_owned();
        for (name, entry) in &self.sources {
            text.extend(["[sources.", name, "]\n", entry]);
        }
        if self.path().join("sql").exists() {
            text.push_str("[sql]\noverrides = \"sql\"\n");
        }
        text.push_str(&self.engine);
        text.push_str("[parameters]\n");
        text + &self.parameters
    }

    /// Runs one date.
    pub(crate) async fn try_run(&self, as_of_date: &str) -> Result<RunReport, JobsError> {
        let options = RunOptions {
            as_of_date: date(as_of_date),
            select: Vec::new(),
            full_refresh: false,
        };
        run(&self.project()?, &options, Arc::new(Silent)).await
    }

    /// Runs one date, and does something when the relation of that name begins.
    pub(crate) async fn try_run_and(
        &self,
        as_of_date: &str,
        relation: &str,
        deed: impl Fn() + Send + Sync + 'static,
    ) -> Result<RunReport, JobsError> {
        let options = RunOptions {
            as_of_date: date(as_of_date),
            select: Vec::new(),
            full_refresh: false,
        };
        let relation = relation.to_owned();
        let observer = Meanwhile { relation, deed };
        run(&self.project()?, &options, Arc::new(observer)).await
    }

    /// Runs one date that must succeed.
    pub(crate) async fn run(&self, as_of_date: &str) -> RunReport {
        self.try_run(as_of_date)
            .await
            .unwrap_or_else(|error| panic!("the run failed: {error}"))
    }

    /// The rows of a query over the published tables, cells parted by spaces.
    pub(crate) async fn query(&self, sql: &str) -> Vec<String> {
        let project = self.project().expect("a project");
        let session = analyst::with_project(&project, date("2025-01-01"))
            .await
            .expect("a lake");
        let frame = session
            .context
            .sql(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let batches = frame
            .collect()
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                let cell =
                    |column| datafusion::arrow::util::display::array_value_to_string(column, row);
                let cells = batch.columns().iter().map(|column| {
                    let text = cell(column).expect("a value that can be shown");
                    if text.is_empty() {
                        "-".to_owned()
                    } else {
                        text
                    }
                });
                rows.push(cells.collect::<Vec<_>>().join(" "));
            }
        }
        rows
    }
}

/// A date.
pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}
