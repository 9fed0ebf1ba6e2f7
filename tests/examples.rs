//! The SQL examples: each of their queries answers what stands after it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{copy, create_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;
use loyalake_jobs::run::Event;
use loyalake_jobs::{Config, Observer, Project, RunOptions, analyst, run};

/// The line between an example's query and its result.
const RESULT: &str = "-- result:\n";

/// What the last step of the loyalty example leaves out.
const SURVEY: &str = "\
[sources.survey_answers]
location = \"sources/survey_answers.csv\"
format = \"csv\"
";

/// An observer that shows nothing.
struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event<'_>) {}
}

/// From where an example's paths to files are found.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn examples(folder: &str) -> Vec<PathBuf> {
    let paths = root().join(folder).read_dir().unwrap();
    let mut files: Vec<PathBuf> = paths
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    files
}

/// The queries of an example, and the result that it shows of each.
fn steps(text: &str) -> Vec<(&str, &str)> {
    let (mut steps, mut rest) = (Vec::new(), text);
    while let Some((query, after)) = rest.split_once(RESULT) {
        let is_table = |line: &&str| line.starts_with("-- +") || line.starts_with("-- |");
        let lines = after.split_inclusive('\n').take_while(is_table);
        let (result, next) = after.split_at(lines.map(str::len).sum());
        steps.push((query, result));
        rest = next;
    }
    if !rest.is_empty() {
        steps.push((rest, ""));
    }
    steps
}

/// The result as an example shows it: a text table in comments.
async fn answer(context: &SessionContext, query: &str) -> String {
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    assert!(
        batches.iter().any(|batch| batch.num_rows() > 0),
        "no rows come back from {query}"
    );
    let table = pretty_format_batches(&batches).unwrap().to_string();
    table.lines().flat_map(|line| ["-- ", line, "\n"]).collect()
}

/// Asks every query of an example.
async fn check(context: &SessionContext, file: &Path) {
    let text = read_to_string(file).unwrap();
    for (query, expected) in steps(&text) {
        let found = answer(context, query).await;
        assert_eq!(
            expected,
            found,
            "{}: this query must end with `{}` and its result:\n{query}\n{found}",
            file.file_name().unwrap().to_string_lossy(),
            RESULT.trim_end()
        );
    }
}

/// Runs these dates, and opens what they published.
async fn published(config: Config, dates: &[&str]) -> SessionContext {
    let project = Project::open(config).unwrap();
    let mut latest = NaiveDate::default();
    for date in dates {
        latest = date.parse().unwrap();
        let options = RunOptions {
            as_of_date: latest,
            select: Vec::new(),
            full_refresh: false,
        };
        run(&project, &options, Arc::new(Silent)).await.unwrap();
    }
    let session = analyst::with_project(&project, latest).await;
    session.unwrap().context
}

#[tokio::test]
async fn every_example_answers_what_it_shows() {
    std::env::set_current_dir(root()).unwrap();
    let (numbered, walk) = (examples("examples"), examples("examples/cdnow/walkthrough"));
    assert!(numbered.len() >= 5, "examples/*.sql are gone");
    assert!(walk.len() >= 5, "examples/cdnow/walkthrough/*.sql are gone");
    for file in numbered.into_iter().chain(walk) {
        let context = analyst::without_project().unwrap().context;
        check(&context, &file).await;
    }
}

/// In a folder of its own: the lake of the example is its reader's.
#[tokio::test]
async fn the_loyalty_example_answers_what_it_shows() {
    let example = root().join("examples/loyalty");
    let folder = tempfile::tempdir().unwrap();
    create_dir(folder.path().join("sources")).unwrap();
    for entry in example.join("sources").read_dir().unwrap() {
        let source = entry.unwrap();
        let copied = folder.path().join("sources").join(source.file_name());
        copy(source.path(), copied).unwrap();
    }
    let text = read_to_string(example.join("loyalake.toml")).unwrap();
    assert!(text.contains(SURVEY), "loyalake.toml has no survey");
    let path = folder.path().join("loyalake.toml");
    let configured = |text: &str| Config::parse(&path, text).unwrap();
    let mut walk = examples("examples/loyalty/walkthrough");
    let without_survey = walk.pop().unwrap();
    assert!(walk.len() >= 5, "its walkthrough is gone");

    let context = published(configured(&text), &["2025-12-31", "2026-03-31"]).await;
    for file in walk {
        check(&context, &file).await;
    }
    let context = published(configured(&text.replace(SURVEY, "")), &["2026-03-31"]).await;
    check(&context, &without_survey).await;
}
