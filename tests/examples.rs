//! The SQL examples: each of their queries answers what stands after it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use datafusion::arrow::util::pretty::pretty_format_batches;

/// The line between an example's query and its result.
const RESULT: &str = "-- result:\n";

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
async fn answer(query: &str) -> String {
    let context = loyalake_jobs::analyst::without_project().unwrap().context;
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    assert!(
        batches.iter().any(|batch| batch.num_rows() > 0),
        "no rows come back from {query}"
    );
    let table = pretty_format_batches(&batches).unwrap().to_string();
    table.lines().flat_map(|line| ["-- ", line, "\n"]).collect()
}

#[tokio::test]
async fn every_example_answers_what_it_shows() {
    std::env::set_current_dir(root()).unwrap();
    let (numbered, walk) = (examples("examples"), examples("examples/cdnow/walkthrough"));
    assert!(numbered.len() >= 5, "examples/*.sql are gone");
    assert!(walk.len() >= 5, "examples/cdnow/walkthrough/*.sql are gone");
    for file in numbered.into_iter().chain(walk) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (query, expected) in steps(&text) {
            let found = answer(query).await;
            assert_eq!(
                expected,
                found,
                "{}: this query must end with `{}` and its result:\n{query}\n{found}",
                file.file_name().unwrap().to_string_lossy(),
                RESULT.trim_end()
            );
        }
    }
}
