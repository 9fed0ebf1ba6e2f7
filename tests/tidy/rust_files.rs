//! Style of Rust sources.

use super::repository::{File, files, must_accept, must_find, refuse};
use super::rust_source::RustSource;

const MAX_LINES: usize = 400;
const MAX_TEST_LINES: usize = 200;
const MAX_FUNCTION_LINES: usize = 70;
const MAX_COLUMNS: usize = 100;

/// What stops a program that should say what is wrong.
const PANICS: [&str; 8] = [
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "dbg!(",
    ".unwrap_err()",
];

const VAGUE_NAMES: [&str; 6] = ["utils", "common", "helpers", "misc", "manager", "base"];

fn sources() -> Vec<File> {
    ["crates", "tests", "examples"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

fn first_line(file: &File) -> Vec<String> {
    if file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![file.finding(
        1,
        "the file says not what it is; begin with a line `//! what is in it`",
    )]
}

fn length(file: &File) -> Vec<String> {
    let source = RustSource::parse(file);
    let all = file.text.lines().count();
    let is_test_file = source.tests_at == 0;
    let production = if is_test_file {
        all
    } else {
        source.production().lines().count()
    };
    let tests = all - production;
    let mut findings = Vec::new();
    if production > MAX_LINES {
        let what = format!("{production} lines, {MAX_LINES} are allowed; split it by what it does");
        findings.push(file.finding(production, &what));
    }
    if tests > MAX_TEST_LINES {
        let what = format!(
            "{tests} lines of inline tests, {MAX_TEST_LINES} are allowed; move them to {}/tests.rs",
            file.stem()
        );
        findings.push(file.finding(production + 1, &what));
    }
    findings
}

fn function_length(file: &File) -> Vec<String> {
    let functions = RustSource::parse(file).functions();
    let long = functions
        .into_iter()
        .filter(|(_, _, lines)| *lines > MAX_FUNCTION_LINES);
    long.map(|(line, name, lines)| {
        let what = format!(
            "function {name} has {lines} lines, {MAX_FUNCTION_LINES} are allowed; name its parts"
        );
        file.finding(line, &what)
    })
    .collect()
}

pub(crate) fn width(file: &File) -> Vec<String> {
    let is_wide = |line: &str| line.chars().count() > MAX_COLUMNS;
    file.lines_that(is_wide, "more than 100 columns; break the line")
}

fn panics(file: &File) -> Vec<String> {
    let source = RustSource::parse(file);
    let code = source.production();
    let found = PANICS.iter().flat_map(|word| code.match_indices(word));
    found
        .map(|(at, word)| {
            let what = format!("`{word}` can stop a night's run; return an error that says why");
            file.finding(source.line(at), &what)
        })
        .collect()
}

fn macros(file: &File) -> Vec<String> {
    let code = RustSource::parse(file).code;
    let found = code.contains(concat!("macro", "_rules!"));
    let what = "a macro of our own; write a function, or the code itself";
    if found {
        vec![file.finding(1, what)]
    } else {
        Vec::new()
    }
}

fn vague_names(file: &File) -> Vec<String> {
    let mut names = file
        .path
        .split('/')
        .map(|name| name.trim_end_matches(".rs"));
    let name = names.find(|name| VAGUE_NAMES.contains(name));
    let what = |name| format!("'{name}' says nothing; name the file by what is inside");
    name.map(|name| file.finding(1, &what(name)))
        .into_iter()
        .collect()
}

fn reminders(file: &File) -> Vec<String> {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        "placeholder",
    ];
    let is_reminder = |line: &str| {
        let comment = line.split_once("//").map(|(_, comment)| comment);
        comment.is_some_and(|comment| words.iter().any(|word| comment.contains(word)))
    };
    file.lines_that(
        is_reminder,
        "a reminder; do it, or say in plain words why it is not done",
    )
}

#[test]
fn the_first_line_says_what_a_file_is() {
    refuse(&sources(), first_line);
    must_find(first_line, "crates/a/src/a.rs", "use std;\n");
}

#[test]
fn files_are_short() {
    refuse(&sources(), length);
    must_find(length, "crates/a/src/a.rs", &"//\n".repeat(401));
    must_find(
        length,
        "crates/a/src/a.rs",
        &format!("//! a\n#[cfg(test)]\n{}", "//\n".repeat(200)),
    );
    must_accept(
        length,
        "crates/a/src/a.rs",
        &format!("{0}#[cfg(test)]\n{0}", "//\n".repeat(199)),
    );
}

#[test]
fn functions_are_short() {
    refuse(&sources(), function_length);
    let body = |lines: usize| format!("fn a() {{\n{}}}\nfn b() {{}}\n", "    1;\n".repeat(lines));
    must_find(function_length, "crates/a/src/a.rs", &body(69));
    must_accept(function_length, "crates/a/src/a.rs", &body(68));
}

#[test]
fn lines_are_short() {
    refuse(&sources(), width);
    must_find(width, "crates/a/src/a.rs", &"x".repeat(101));
    must_accept(width, "crates/a/src/a.rs", &"ä".repeat(100));
}

#[test]
fn nothing_panics_outside_tests() {
    refuse(&files("crates", "rs"), panics);
    must_find(panics, "crates/a/src/a.rs", "fn a() { b.unwrap(); }");
    must_find(panics, "crates/a/src/a.rs", "fn a() { panic!(\"no\"); }");
    let tests = "// never .unwrap()\n#[cfg(test)]\nmod tests { fn a() { b.unwrap(); } }";
    must_accept(panics, "crates/a/src/a.rs", tests);
    must_accept(panics, "crates/a/src/a/tests.rs", "fn a() { b.unwrap(); }");
}

#[test]
fn there_are_no_macros_of_our_own() {
    refuse(&sources(), macros);
    must_find(
        macros,
        "crates/a/src/a.rs",
        concat!("macro", "_rules! a { () => {} }"),
    );
}

#[test]
fn names_say_what_is_inside() {
    refuse(&sources(), vague_names);
    must_find(vague_names, "crates/a/src/utils.rs", "");
    must_find(vague_names, "crates/a/src/common/a.rs", "");
}

#[test]
fn no_reminders_are_left() {
    refuse(&sources(), reminders);
    must_find(
        reminders,
        "crates/a/src/a.rs",
        concat!("let a = 1; // TO", "DO: more"),
    );
}
