//! Broken configurations, SQL files, contracts and parameters: an error in one line that names the
//! file, never a panic. `PROPTEST_CASES=20000 cargo test --workspace --test jobs garbage` tries for
//! longer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use loyalake_jobs::{Config, JobsError, Kind, Project, SqlFile, statements};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tempfile::TempDir;

const CONFIG: &str = "# a shop
[lake]
output = \"lake\"
scratch = \"scratch\"

[sources.orders]
location = \"orders/*.parquet\"
format = \"parquet\"

[sql]
overrides = \"sql\"

[parameters]
time_zone = \"Europe/London\"
valid_statuses = [\"paid\", \"shipped\"]
horizon_days = 365
discount_rate_annual = 0.10
count_zero_value_orders = true
fit_by = \"country\"

[engine]
kind = \"local\"
memory_limit = \"512MB\"
partitions = 2

[storage]
aws_region = \"eu-west-2\"
";

/// What a text is not expected to hold.
const ODD: [&str; 32] = [
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "\u{85}",
    "\r",
    "\r\n",
    "\n",
    "é",
    "🦀",
    "'",
    "\"",
    "`",
    "\"\"\"",
    "--",
    "/*",
    "*/",
    ";",
    ",",
    ".",
    ":",
    "::",
    "$",
    "$no",
    "(",
    "]",
    "{",
    "=",
    "1e999",
    "-9223372036854775809",
    "99999999999999999999999999999999999999999",
    "\\",
];

/// What can be put inside itself.
const NESTS: [(&str, &str); 10] = [
    ("(", ")"),
    ("[", "]"),
    ("{ a = ", "}"),
    ("(select * from ", ")"),
    ("case when ", " then 1 end"),
    ("abs(", ")"),
    ("not ", ""),
    ("- ", ""),
    ("explain ", ""),
    ("/*", "*/"),
];

/// What can be put behind itself.
const CHAINS: [&str; 10] = [
    " + 1",
    " or 1 = 2",
    "::int",
    " union all select 1",
    ", x",
    " is null",
    "[1]",
    ".a",
    " ",
    "\u{e4}",
];

/// A change of a text at a place.
#[derive(Debug, Clone)]
enum Edit {
    Cut(usize),
    Repeat(usize, usize),
    Insert(String),
    Replace(String),
    Nest((&'static str, &'static str), usize),
    Chain(&'static str, usize),
    End,
}

impl Edit {
    fn apply(&self, text: &str, place: Index) -> String {
        let at = text.floor_char_boundary(place.index(text.len() + 1));
        let (before, after) = text.split_at(at);
        let part = |length: usize| &after[..after.ceil_char_boundary(length)];
        let rest = |length: usize| &after[after.ceil_char_boundary(length)..];
        match self {
            Self::Cut(length) => format!("{before}{}", rest(*length)),
            Self::Repeat(length, times) => {
                format!("{before}{}{}", part(*length).repeat(*times), rest(*length))
            }
            Self::Insert(new) => format!("{before}{new}{after}"),
            Self::Replace(new) => format!("{before}{new}{}", rest(new.len())),
            Self::Nest((open, close), depth) => format!(
                "{before}{}{}{}{}",
                open.repeat(*depth),
                part(5),
                close.repeat(*depth),
                rest(5)
            ),
            Self::Chain(link, times) => format!("{before}{}{after}", link.repeat(*times)),
            Self::End => before.to_owned(),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    // mostly few, sometimes very many
    let times = || prop_oneof![4 => 1..8_usize, 1 => 50..30_000_usize];
    prop_oneof![
        3 => (1..40_usize).prop_map(Edit::Cut),
        2 => (1..80_usize, times()).prop_map(|(length, times)| Edit::Repeat(length, times)),
        3 => select(&ODD[..]).prop_map(|new| Edit::Insert(new.to_owned())),
        2 => "\\PC{1,12}".prop_map(Edit::Insert),
        3 => select(&ODD[..]).prop_map(|new| Edit::Replace(new.to_owned())),
        2 => "[a-z0-9_' ().,$=]{1,8}".prop_map(Edit::Replace),
        1 => (select(&NESTS[..]), times()).prop_map(|(nest, depth)| Edit::Nest(nest, depth)),
        1 => (select(&CHAINS[..]), times()).prop_map(|(link, times)| Edit::Chain(link, times)),
        1 => Just(Edit::End),
    ]
}

/// A text with one edit or a few.
fn edited(texts: Vec<(String, String)>) -> impl Strategy<Value = (String, String)> {
    let edits = prop::collection::vec((edit(), any::<Index>()), 1..5);
    (select(texts), edits).prop_map(|((name, text), edits)| {
        let edited = edits
            .iter()
            .fold(text, |text, (edit, place)| edit.apply(&text, *place));
        (name, edited)
    })
}

/// Names and texts of our SQL files of a folder.
fn ours(kind: Kind) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../sql")
        .join(kind.folder());
    let paths = fs::read_dir(folder).expect("a folder");
    let paths = paths.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a text");
            (format!("{}/{name}", kind.folder()), text)
        })
        .collect();
    files.sort();
    files
}

fn cases(default: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = default;
    }
    config.failure_persistence = None;
    config
}

/// What is tried ends soon; an error has one line, names the file, and points into it.
fn tells<T>(file: &str, attempt: impl FnOnce() -> Result<T, JobsError>) -> Option<T> {
    let started = Instant::now();
    let done = attempt();
    let seconds = started.elapsed();
    assert!(seconds < Duration::from_secs(20), "{file} took {seconds:?}");
    let error = match done {
        Ok(done) => return Some(done),
        Err(error) => error,
    };
    let message = error.to_string();
    assert!(!message.contains('\n'), "several lines: {message}");
    assert!(message.len() > 10, "says nothing: {message}");
    let place = error.place();
    let named = place.map_or("", |place| &place.file);
    let stem = file.rsplit('/').next().unwrap_or(file);
    let stem = stem.trim_end_matches(".sql");
    assert!(
        named.contains(file) || message.contains(stem),
        "names neither '{file}' nor '{stem}': {named}: {message}"
    );
    if let Some(place) = place {
        let pointed = place.offset..place.offset + place.length;
        assert!(place.text.get(pointed).is_some(), "points between letters");
        assert!(place.line() <= place.text.lines().count() + 1);
    }
    None
}

/// A shop with an override.
fn project(path: &str, text: &str, config: &str) -> Result<Project, JobsError> {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("sql").join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, text).expect("a file");
    Project::open(Config::parse(&folder.path().join("lake.toml"), config)?)
}

const ORDER: &str = "{\"order_id\":1,\"customer_id\":1,\"ordered_at\":\"2026-01-01\",\
    \"status\":\"paid\",\"gross_amount\":1.5}";

const MINIMAL: &str = "[lake]\noutput = \"lake\"\n[sources.orders]\nlocation = \"orders.parquet\"\n\
    [sql]\noverrides = \"sql\"\n";

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn configurations(
        (_, text) in edited(vec![("lake.toml".to_owned(), CONFIG.to_owned())])
    ) {
        tells("lake.toml", || Config::parse(Path::new("lake.toml"), &text));
    }

    #[test]
    fn sql_files((name, text) in edited(ours(Kind::Intermediate))) {
        tells(&name, || SqlFile::parse(Kind::Intermediate, &name, true, &text));
        tells(&name, || SqlFile::parse(Kind::Intermediate, &name, false, &text));
    }

    #[test]
    fn statements_of_any_text(text in "\\PC{0,80}", (_, edited) in edited(ours(Kind::Report))) {
        for text in [text, edited] {
            if let Ok(found) = statements::parse(&text) {
                for (start, statement) in found {
                    prop_assert!(start.line > 0 && start.column > 0);
                    statements::only_reads(&statement);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn projects_with_broken_overrides(
        (name, text) in prop_oneof![
            edited(ours(Kind::Staging)),
            edited(ours(Kind::Mart)),
            edited(ours(Kind::Audit)),
        ]
    ) {
        tells(&name, || project(&name, &text, MINIMAL));
    }

    #[test]
    fn contracts((name, text) in edited(ours(Kind::Source))) {
        tells(&name, || project(&name, &text, MINIMAL));
    }

    #[test]
    fn parameters(
        (_, text) in edited(vec![("lake.toml".to_owned(), CONFIG.to_owned())])
    ) {
        tells("lake.toml", || project("staging/own.sql", "select 1 as one", &text));
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn plans((name, text) in edited(ours(Kind::Mart))) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("sql").join(&name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, &text).expect("a file");
        fs::write(folder.path().join("orders.json"), ORDER).expect("a file");
        let path = folder.path().join("lake.toml");
        let config = "[lake]\noutput = \"lake\"\n[sources.orders]\nlocation = \"orders.json\"\n\
            format = \"json\"\n[sql]\noverrides = \"sql\"\n[engine]\nmemory_limit = \"512MB\"\n";
        let opened = tells(&name, || Project::open(Config::parse(&path, config)?));
        if let Some(project) = opened {
            let stem = name.rsplit('/').next().expect("a name").trim_end_matches(".sql");
            let file = project.graph.get(stem).expect("the file");
            tells(&name, || runtime.block_on(project.schema(file)));
        }
    }
}

#[test]
fn files_that_are_no_text_are_named() {
    let folder = TempDir::new().expect("a folder");
    let config = folder.path().join("lake.toml");
    fs::write(&config, [0xff, 0xfe, 0x00]).expect("a file");
    let error = Config::read(&config).expect_err("no text").to_string();
    assert!(error.contains("lake.toml: "), "{error}");
    fs::create_dir_all(folder.path().join("sql/marts")).expect("a folder");
    fs::write(folder.path().join("sql/marts/own.sql"), [b'-', 0xe4]).expect("a file");
    fs::write(&config, MINIMAL).expect("a file");
    let opened = Config::read(&config).and_then(Project::open);
    let error = opened.expect_err("no text").to_string();
    assert!(
        error.contains("own.sql: ") && error.contains("UTF-8"),
        "{error}"
    );
}
