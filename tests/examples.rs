//! The numbered SQL examples: each answers what stands at its end.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use datafusion::arrow::util::pretty::pretty_format_batches;

/// The line between an example's query and its result.
const RESULT: &str = "-- result:\n";

fn examples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    files
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
    let files = examples();
    assert!(files.len() >= 5, "examples/*.sql are gone");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (query, expected) = text.split_once(RESULT).unwrap_or((&text, ""));
        let found = answer(query).await;
        assert_eq!(
            expected,
            found,
            "{} must end with `{}` and this:\n{found}",
            file.file_name().unwrap().to_string_lossy(),
            RESULT.trim_end()
        );
    }
}
