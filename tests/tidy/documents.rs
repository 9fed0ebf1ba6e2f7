//! What is said about the repository in documents and by its layout.

use std::collections::BTreeSet;
use std::fs::metadata;

use loyalake_functions::{CatalogueEntry, catalogue};

use super::repository::{
    File, file, files, must_accept, must_find, paths, refuse, refuse_all, root,
};

const MAX_REPOSITORY_BYTES: u64 = 30_000_000;

const TOP_LEVEL: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "crates",
    "examples",
    "sql",
    "tests",
];

/// Extensions of files that are text.
const TEXTS: [&str; 8] = ["rs", "sql", "slt", "md", "toml", "yml", "py", "csv"];

/// Where files of one machine are; taken apart, so that they are not found here.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
];

/// The first names of a table's rows under a heading: of `| `a` | …` and `| `a(b)` | …`.
fn listed(document: &File, heading: &str) -> BTreeSet<String> {
    let lines = document
        .text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1);
    let section = lines.take_while(|line| !line.starts_with("## "));
    let cells = section.filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names
        .map(|name| name.split('(').next().unwrap_or_default().to_owned())
        .collect()
}

/// What a list in a document has too little and too much.
fn differences(document: &File, heading: &str, names: &BTreeSet<String>) -> Vec<String> {
    let listed = listed(document, heading);
    let missing = names
        .difference(&listed)
        .map(|name| ("is missing; add a row", name));
    let surplus = listed
        .difference(names)
        .map(|name| ("does not exist; remove the row", name));
    let all = missing.chain(surplus);
    all.map(|(what, name)| document.finding(1, &format!("under '{heading}': `{name}` {what}")))
        .collect()
}

fn undocumented(entry: &CatalogueEntry) -> Vec<String> {
    let place = format!("function {}", entry.name);
    let documentation = &entry.documentation;
    let example = documentation.sql_example.as_deref().unwrap_or_default();
    let mut findings = Vec::new();
    if documentation.description.trim().is_empty() {
        findings.push(format!("{place}: no description; add one"));
    }
    if !example.contains(&entry.name) {
        findings.push(format!(
            "{place}: no example that calls it; add with_sql_example"
        ));
    }
    if documentation.arguments.as_ref().is_none_or(Vec::is_empty) {
        findings.push(format!(
            "{place}: its arguments are not explained; add with_argument"
        ));
    }
    findings
}

/// A package without these lines escapes `unsafe_code = "forbid"` and all other lints.
fn lints(file: &File) -> Vec<String> {
    let manifest: toml::Table = toml::from_str(&file.text).unwrap();
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    let is_package = manifest.contains_key("package");
    if !is_package || lints.and_then(toml::Value::as_bool) == Some(true) {
        return Vec::new();
    }
    let what = "the workspace's lints are not taken; add `[lints]` and `workspace = true`";
    vec![file.finding(1, what)]
}

fn machine_paths(file: &File) -> Vec<String> {
    let has_path = |line: &str| MACHINE_PATHS.iter().any(|path| line.contains(path));
    file.lines_that(has_path, "a path of one machine; make it relative")
}

fn strange(names: &[String]) -> Vec<String> {
    let strange = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()));
    let what = "does not belong at the top; put it into crates, sql, tests or examples";
    strange.map(|name| format!("{name}: {what}")).collect()
}

fn catalogue_names() -> BTreeSet<String> {
    catalogue()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

#[test]
fn the_readme_lists_every_function() {
    refuse_all(&differences(
        &file("README.md"),
        "## Functions",
        &catalogue_names(),
    ));
    let readme = "## Functions\n\n| a | b |\n|---|---|\n| `one(x)`, `two(y)` | `x` |\n## Next\n";
    let names = ["one", "two"].map(str::to_owned);
    let check = |file: &File| differences(file, "## Functions", &names.clone().into());
    must_accept(check, "README.md", readme);
    must_find(check, "README.md", &readme.replace("`one(x)`, ", ""));
    must_find(
        check,
        "README.md",
        &readme.replace("one(x)", "one`, `three"),
    );
}

#[test]
fn the_readme_lists_every_table() {
    let marts = files("sql/marts", "sql");
    let names = marts.iter().map(|file| file.stem().to_owned()).collect();
    refuse_all(&differences(&file("README.md"), "## Tables", &names));
}

#[test]
fn the_readme_and_ci_run_the_same_commands() {
    let script = file(".ci/run").text;
    let commands: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("step "))
        .filter(|line| line.starts_with("cargo run") || line.starts_with("cargo test"))
        .collect();
    assert_eq!(
        commands.len(),
        2,
        ".ci/run must run the README's two commands"
    );
    let readme = file("README.md");
    let is_said = |command: &&str| readme.text.lines().any(|line| line == *command);
    let unsaid = commands.iter().filter(|command| !is_said(command));
    let what = "of .ci/run is not among the README's commands; make them equal";
    refuse_all(
        &unsaid
            .map(|command| format!("`{command}` {what}"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_function_is_documented() {
    let entries = catalogue().unwrap();
    assert!(!entries.is_empty());
    refuse_all(&entries.iter().flat_map(undocumented).collect::<Vec<_>>());
    let mut planted = entries[0].clone();
    planted.documentation.sql_example = Some("select 1".to_owned());
    assert_eq!(undocumented(&planted).len(), 1);
}

#[test]
fn every_function_has_its_tests() {
    let entries = catalogue().unwrap();
    let wanted: BTreeSet<String> = entries
        .iter()
        .map(|entry| format!("tests/slt/{}/{}.slt", entry.domain, entry.name))
        .collect();
    let found: BTreeSet<String> = paths("tests/slt").into_iter().collect();
    let missing = wanted
        .difference(&found)
        .map(|path| format!("{path}: is missing; write it"));
    let surplus = found
        .difference(&wanted)
        .map(|path| format!("{path}: is of no function; name it after one, or remove it"));
    refuse_all(&missing.chain(surplus).collect::<Vec<_>>());
}

#[test]
fn no_package_is_unsafe() {
    let manifests: Vec<File> = files("", "toml")
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .collect();
    refuse(&manifests, lints);
    let package = "[package]\nname = \"a\"\n";
    must_find(lints, "crates/a/Cargo.toml", package);
    must_accept(
        lints,
        "crates/a/Cargo.toml",
        &format!("{package}[lints]\nworkspace = true\n"),
    );
    let workspace: toml::Table = toml::from_str(&file("Cargo.toml").text).unwrap();
    let rust = &workspace["workspace"]["lints"]["rust"];
    assert_eq!(rust["unsafe_code"].as_str(), Some("forbid"));
}

#[test]
fn the_top_level_is_small() {
    let entries = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = entries
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let tracked: Vec<String> = names.into_iter().filter(|name| name != "target").collect();
    refuse_all(&strange(&tracked));
    assert_eq!(strange(&["justfile".to_owned(), ".ci".to_owned()]).len(), 1);
}

#[test]
fn the_repository_is_small() {
    let sizes: Vec<(u64, String)> = paths("")
        .into_iter()
        .map(|path| (metadata(root().join(&path)).unwrap().len(), path))
        .collect();
    let total: u64 = sizes.iter().map(|(size, _)| size).sum();
    let largest = sizes.iter().max();
    assert!(
        total < MAX_REPOSITORY_BYTES,
        "{total} bytes, {MAX_REPOSITORY_BYTES} are allowed; make data smaller, first {largest:?}"
    );
}

#[test]
fn no_file_knows_a_machine() {
    let texts: Vec<File> = TEXTS
        .iter()
        .flat_map(|extension| files("", extension))
        .collect();
    refuse(&texts, machine_paths);
    must_find(
        machine_paths,
        "a.toml",
        &format!("output = \"{}me/lake\"", MACHINE_PATHS[1]),
    );
}
