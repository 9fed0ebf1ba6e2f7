//! Style of SQL job files and of their headers.

use super::repository::{File, files, must_accept, must_find, refuse};
use super::rust_files::width;

const MAX_LINES: usize = 120;
const MAX_SLT_LINES: usize = 200;

/// What depends on when or how often it is asked.
const VOLATILE: [&str; 8] = [
    "now(",
    "current_date",
    "current_timestamp",
    "current_time",
    "localtimestamp",
    "today(",
    "random(",
    "uuid(",
];

const KEYWORDS: [&str; 9] = [
    "SELECT", "FROM", "WHERE", "JOIN", "GROUP", "ORDER", "WITH", "CASE", "UNION",
];

/// Our job files, and those of the examples.
fn jobs() -> Vec<File> {
    let mut jobs = files("sql", "sql");
    jobs.extend(
        files("examples", "sql")
            .into_iter()
            .filter(|file| file.path.contains("/sql/")),
    );
    jobs
}

/// Job files and numbered examples.
fn all() -> Vec<File> {
    let mut all = files("sql", "sql");
    all.extend(files("examples", "sql"));
    all
}

/// The lines without their comments.
fn code(file: &File) -> File {
    let lines = file
        .text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    File::new(&file.path, &lines.collect::<Vec<_>>().join("\n"))
}

fn length(file: &File, allowed: usize) -> Vec<String> {
    let lines = file.text.lines().count();
    let what = format!("{lines} lines, {allowed} are allowed; split it by what it answers");
    if lines > allowed {
        vec![file.finding(lines, &what)]
    } else {
        Vec::new()
    }
}

fn header(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    let first = format!("-- {}: ", file.stem());
    if !file.text.starts_with(&first) {
        let what = format!("begin with `{first}…`, a sentence on what the rows are");
        findings.push(file.finding(1, &what));
    }
    let keys: &[&str] = if file.path.contains("/audits/") {
        &["table", "severity", "inputs", "params"]
    } else {
        &["grain", "inputs", "params", "source"]
    };
    let comments: Vec<&str> = file
        .text
        .lines()
        .take_while(|line| line.starts_with("--"))
        .collect();
    for key in keys {
        let start = format!("-- {key}: ");
        let value = comments
            .iter()
            .find_map(|line| line.strip_prefix(start.as_str()));
        if value.is_none_or(|value| value.trim().is_empty()) {
            let what = format!(
                "the header has no `{}`; say it, or `none`",
                start.trim_end()
            );
            findings.push(file.finding(1, &what));
        }
    }
    findings
}

fn audit_name(file: &File) -> Vec<String> {
    let table = file
        .text
        .lines()
        .find_map(|line| line.strip_prefix("-- table: "))
        .unwrap_or("?");
    if file
        .stem()
        .split_once("__")
        .is_some_and(|(subject, _)| subject == table.trim())
    {
        return Vec::new();
    }
    let what = format!("the audit is of table {table}; name it {table}__<what must hold>.sql");
    vec![file.finding(1, &what)]
}

fn volatile(file: &File) -> Vec<String> {
    let is_volatile = |line: &str| {
        let line = line.to_lowercase();
        VOLATILE.iter().any(|word| {
            let mut found = line.match_indices(word);
            found.any(|(at, _)| {
                !line[..at].ends_with(|one: char| one.is_alphanumeric() || one == '_')
            })
        })
    };
    let what = "the answer depends on when it is asked; use $as_of_date";
    code(file).lines_that(is_volatile, what)
}

fn upper_case(file: &File) -> Vec<String> {
    let is_shouting = |line: &str| line.split_whitespace().any(|word| KEYWORDS.contains(&word));
    code(file).lines_that(is_shouting, "keywords in capitals; write SQL in lower case")
}

fn tabs(file: &File) -> Vec<String> {
    let is_wrong = |line: &str| line.contains('\t') || line.ends_with(' ');
    file.lines_that(
        is_wrong,
        "a tab, or blanks at the end; indent by four spaces",
    )
}

#[test]
fn job_files_have_complete_headers() {
    refuse(&jobs(), header);
    let complete = "-- a: all.\n-- grain: b\n-- inputs: none\n-- params: none\n-- source: me\n";
    must_accept(header, "sql/marts/a.sql", complete);
    must_find(
        header,
        "sql/marts/a.sql",
        &complete.replace("-- params: none\n", ""),
    );
    must_find(
        header,
        "sql/marts/a.sql",
        &complete.replace("-- a:", "-- b:"),
    );
    must_find(
        header,
        "sql/marts/a.sql",
        &complete.replace("grain: b", "grain: "),
    );
}

#[test]
fn audits_are_named_by_their_table() {
    refuse(&files("sql/audits", "sql"), audit_name);
    must_find(
        audit_name,
        "sql/audits/a__is_b.sql",
        "-- a__is_b: rows.\n-- table: c\n",
    );
    must_accept(
        audit_name,
        "sql/audits/a__is_b.sql",
        "-- a__is_b: rows.\n-- table: a\n",
    );
}

#[test]
fn audits_are_of_relations_that_exist() {
    let folders = ["sql/staging", "sql/intermediate", "sql/marts"];
    let relations: Vec<File> = folders
        .iter()
        .flat_map(|folder| files(folder, "sql"))
        .collect();
    let is_lost = |audit: &File| {
        let table = audit.stem().split("__").next().unwrap_or_default();
        relations.iter().all(|relation| relation.stem() != table)
    };
    let what = "its table does not exist; name the one that the rows would be wrong in";
    let check = |audit: &File| {
        if is_lost(audit) {
            vec![audit.finding(1, what)]
        } else {
            Vec::new()
        }
    };
    refuse(&files("sql/audits", "sql"), check);
    must_find(check, "sql/audits/nothing__is_b.sql", "");
}

#[test]
fn files_are_short() {
    refuse(&all(), |file| length(file, MAX_LINES));
    refuse(&files("tests/slt", "slt"), |file| {
        length(file, MAX_SLT_LINES)
    });
    must_find(
        |file| length(file, MAX_LINES),
        "sql/marts/a.sql",
        &"--\n".repeat(121),
    );
}

#[test]
fn lines_are_short() {
    refuse(&all(), width);
}

#[test]
fn no_answer_depends_on_the_clock() {
    refuse(&all(), volatile);
    must_find(volatile, "sql/marts/a.sql", "select NOW() as b");
    must_find(
        volatile,
        "sql/marts/a.sql",
        "where b <= current_date -- today",
    );
    must_accept(
        volatile,
        "sql/marts/a.sql",
        "select unknown(b) -- not now()",
    );
}

#[test]
fn sql_is_in_lower_case() {
    refuse(&all(), upper_case);
    must_find(upper_case, "sql/marts/a.sql", "SELECT a from b");
    must_accept(upper_case, "sql/marts/a.sql", "select a -- FROM b");
}

#[test]
fn sql_is_indented_by_spaces() {
    refuse(&all(), tabs);
    must_find(tabs, "sql/marts/a.sql", "select\n\ta");
}
