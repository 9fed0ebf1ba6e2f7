//! What a crate must not do, whoever asks.

use super::repository::{File, file, files, must_accept, must_find, refuse, refuse_all};
use super::rust_source::RustSource;

/// A crate, the only dependencies that it may have besides our own, and our own.
const DEPENDENCIES: [(&str, &[&str]); 2] = [
    ("loyalake-core", &["libm", "thiserror"]),
    (
        "loyalake-functions",
        &[
            "loyalake-core",
            "chrono",
            "datafusion-catalog",
            "datafusion-common",
            "datafusion-doc",
            "datafusion-execution",
            "datafusion-expr",
            "datafusion-expr-common",
            "datafusion-functions-aggregate-common",
            "datafusion-functions-table",
            "datafusion-functions-window-common",
            "datafusion-macros",
        ],
    ),
];

/// The outside world, which formulas and functions must not see.
const OUTSIDE: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "option_env!",
    "include_str!",
    "include_bytes!",
    "println!",
];

/// Clocks and dice. A stopwatch is among them, for core and functions.
const CLOCKS: [&str; 11] = [
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Timestamp::now",
    "now_v7",
    "new_v4",
    "thread_rng",
    "rand::",
    "fastrand",
    "getrandom",
];

/// Where the wall clock may be read, and why.
const CLOCK_READERS: [(&str, &str); 7] = [
    (
        "crates/loyalake-jobs/src/report.rs",
        "a run's id and when it began",
    ),
    (
        "crates/loyalake-jobs/src/run/publish.rs",
        "when a run ended",
    ),
    (
        "crates/loyalake-jobs/src/housekeeping.rs",
        "a change's id and when it was made; how long ago files were replaced",
    ),
    (
        "crates/loyalake-cli/src/run.rs",
        "yesterday, when no date is given",
    ),
    (
        "crates/loyalake-lake/src/staging/node.rs",
        "the name of a file, which no other attempt gives",
    ),
    (
        "crates/loyalake-cluster/src/client.rs",
        "the name by which executors know a run",
    ),
    (
        "crates/loyalake-lake/src/publish.rs",
        "when a Delta commit took files out of a table",
    ),
];

/// Formulas have a home.
const ARITHMETIC: [&str; 12] = [
    ".ln(",
    ".log10(",
    ".log2(",
    ".ln_1p(",
    ".exp(",
    ".exp_m1(",
    ".powf(",
    ".powi(",
    ".sqrt(",
    ".tanh(",
    "libm::",
    "loyalake_core",
];

fn dependencies(file: &File) -> Vec<String> {
    let manifest: toml::Table = toml::from_str(&file.text).unwrap();
    let name = manifest["package"]["name"].as_str().unwrap_or_default();
    let allowed = DEPENDENCIES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, names)| names);
    let Some(allowed) = allowed else {
        return Vec::new();
    };
    let found = manifest.get("dependencies").and_then(toml::Value::as_table);
    let names = found.into_iter().flat_map(toml::Table::keys);
    names
        .filter(|name| !allowed.contains(&name.as_str()))
        .map(|dependency| {
            let what = format!(
                "{name} must not depend on {dependency}; put what needs it into a crate further up"
            );
            file.finding(1, &what)
        })
        .collect()
}

/// One finding for each place where production code has one of the words.
fn words(file: &File, words: &[&str], fix: &str) -> Vec<String> {
    let source = RustSource::parse(file);
    let code = source.production();
    let found = words.iter().flat_map(|word| code.match_indices(word));
    found
        .map(|(at, word)| file.finding(source.line(at), &format!("`{word}` stands here; {fix}")))
        .collect()
}

fn outside(file: &File) -> Vec<String> {
    words(
        file,
        &OUTSIDE,
        "core and functions see their arguments and nothing else",
    )
}

fn clocks(file: &File) -> Vec<String> {
    let is_pure = file.is_in("crates/loyalake-core") || file.is_in("crates/loyalake-functions");
    if is_pure {
        return words(
            file,
            &CLOCKS,
            "results depend on arguments alone: take a date or a seed",
        );
    }
    if CLOCK_READERS.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let stopwatch = ["SystemTime", "Instant::now"];
    let clocks: Vec<&str> = CLOCKS
        .into_iter()
        .filter(|word| !stopwatch.contains(word))
        .collect();
    words(
        file,
        &clocks,
        "take the date or the run's id from whoever calls",
    )
}

fn arithmetic(file: &File) -> Vec<String> {
    words(
        file,
        &ARITHMETIC,
        "formulas belong to loyalake-core, business rules to sql/",
    )
}

fn sql_text(file: &File) -> Vec<String> {
    let source = RustSource::parse(file);
    let is_sql = |text: &str| {
        let text = text
            .trim_start_matches(['"', 'r', '#', ' ', '\n'])
            .to_lowercase();
        let is_query = text.starts_with("with ") && text.contains(" as (");
        let verbs = [
            "select ", "insert ", "create ", "copy ", "drop ", "delete ", "update ",
        ];
        is_query || verbs.iter().any(|verb| text.starts_with(verb))
    };
    let literals = source
        .production_literals()
        .filter(|literal| is_sql(&literal.text));
    literals
        .filter(|literal| !is_documentation(&source.code[..literal.at]))
        .map(|literal| {
            let what = "SQL in Rust; put it into a file of sql/ that users can read and override";
            file.finding(source.line(literal.at), what)
        })
        .collect()
}

/// Whether a literal after this code is documentation: a function's example, or terminal help.
fn is_documentation(before: &str) -> bool {
    let call = before
        .rsplit_once("with_sql_example(")
        .map(|(_, since)| since);
    let is_example =
        call.is_some_and(|since| since.matches('(').count() >= since.matches(')').count());
    is_example || before.trim_end().ends_with("after_help =")
}

/// Names of the published tables.
fn marts() -> Vec<String> {
    files("sql/marts", "sql")
        .iter()
        .map(|file| file.stem().to_owned())
        .collect()
}

fn names_of_marts(file: &File, marts: &[String]) -> Vec<String> {
    let source = RustSource::parse(file);
    let mut findings = Vec::new();
    let literals = source.production_literals();
    for literal in literals.filter(|literal| !is_documentation(&source.code[..literal.at])) {
        let words: Vec<&str> = literal
            .text
            .split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_')
            .collect();
        for mart in marts.iter().filter(|mart| words.contains(&mart.as_str())) {
            // an English word is the name of a table only where a table's name stands
            let after = [" from ", " join ", " into ", "latest.", "history."];
            let is_name = mart.contains('_')
                || after
                    .iter()
                    .any(|word| literal.text.contains(&format!("{word}{mart}")));
            if is_name {
                let what = format!(
                    "Rust names the table '{mart}'; find it by its header or its inputs, \
                     so that users can replace it"
                );
                findings.push(file.finding(source.line(literal.at), &what));
            }
        }
    }
    findings
}

#[test]
fn core_and_functions_depend_on_little() {
    let mut manifests = files("crates", "toml");
    manifests.retain(|file| file.path.ends_with("/Cargo.toml"));
    refuse(&manifests, dependencies);
    must_find(
        dependencies,
        "crates/loyalake-core/Cargo.toml",
        "[package]\nname = \"loyalake-core\"\n[dependencies]\nlibm = \"0\"\ntokio = \"1\"\n",
    );
    for (name, _) in DEPENDENCIES {
        file(&format!("crates/{name}/Cargo.toml"));
    }
}

#[test]
fn core_and_functions_see_nothing_of_the_outside() {
    let mut sources = files("crates/loyalake-core/src", "rs");
    sources.extend(files("crates/loyalake-functions/src", "rs"));
    refuse(&sources, outside);
    must_find(
        outside,
        "crates/loyalake-core/src/a.rs",
        "fn a() { std::env::var(\"A\"); }",
    );
}

#[test]
fn nothing_reads_the_clock_to_compute() {
    refuse(&files("crates", "rs"), clocks);
    must_find(
        clocks,
        "crates/loyalake-core/src/a.rs",
        "let now = Instant::now();",
    );
    must_find(
        clocks,
        "crates/loyalake-jobs/src/stage.rs",
        "let today = Utc::now();",
    );
    must_accept(
        clocks,
        "crates/loyalake-jobs/src/stage.rs",
        "let stopwatch = Instant::now();",
    );
    for (path, why) in CLOCK_READERS {
        let is_needed = CLOCKS.iter().any(|word| file(path).text.contains(word));
        assert!(
            is_needed,
            "{path} reads no clock any more ({why}); take it off CLOCK_READERS"
        );
    }
}

#[test]
fn formulas_are_in_core() {
    let crates = ["loyalake-jobs", "loyalake-lake", "loyalake-cli"];
    let sources: Vec<File> = crates
        .iter()
        .flat_map(|name| files(&format!("crates/{name}/src"), "rs"))
        .collect();
    refuse(&sources, arithmetic);
    must_find(
        arithmetic,
        "crates/loyalake-jobs/src/a.rs",
        "let factor = rate.powf(years);",
    );
}

#[test]
fn sql_is_in_sql_files() {
    refuse(&files("crates", "rs"), sql_text);
    must_find(sql_text, "crates/a/src/a.rs", "let query = \"select 1\";");
    let built = "let query = format!(\"with a as (select b from c)\");";
    must_find(sql_text, "crates/a/src/a.rs", built);
    must_accept(
        sql_text,
        "crates/a/src/a.rs",
        "#[command(after_help = \"select 1\")]",
    );
    must_accept(
        sql_text,
        "crates/a/src/a.rs",
        "x.with_sql_example(format!(\"select {a}\"))",
    );
    must_accept(
        sql_text,
        "crates/a/src/a.rs",
        "#[cfg(test)]\nlet query = \"select 1\";",
    );
}

#[test]
fn rust_knows_no_table_by_name() {
    let marts = marts();
    refuse(&files("crates", "rs"), |file| names_of_marts(file, &marts));
    let planted = ["customer_ltv".to_owned(), "runs".to_owned()];
    let check = |file: &File| names_of_marts(file, &planted);
    must_find(check, "crates/a/src/a.rs", "let name = \"customer_ltv\";");
    must_find(
        check,
        "crates/a/src/a.rs",
        "let name = \"read it from runs\";",
    );
    must_accept(check, "crates/a/src/a.rs", "let text = \"the job runs\";");
}

#[test]
fn functions_mirror_the_folders_of_core() {
    let folders = |of: &str| -> Vec<String> {
        let start = format!("crates/{of}/src/");
        let paths = files(start.trim_end_matches('/'), "rs").into_iter();
        let inside = paths.filter_map(|file| {
            let (folder, _) = file.path.strip_prefix(&start)?.split_once('/')?;
            Some(folder.to_owned())
        });
        inside.collect()
    };
    let core = folders("loyalake-core");
    let strange = folders("loyalake-functions")
        .into_iter()
        .filter(|name| !core.contains(name));
    let findings: Vec<String> = strange
        .map(|name| {
            format!(
                "crates/loyalake-functions/src/{name}: no such folder in loyalake-core; \
                 the same name stands at the same place in every layer"
            )
        })
        .collect();
    refuse_all(&findings);
}
