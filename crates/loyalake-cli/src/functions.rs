//! `loyalake functions`: the manual of the SQL functions.

use std::fmt::Write as _;
use std::io::{Write, stdout};

use clap::Args;
use datafusion::logical_expr::Documentation;
use loyalake_functions::{CatalogueEntry, FunctionKind, catalogue};
use loyalake_jobs::JobsError;
use loyalake_jobs::config::nearest;

use crate::failure::{Failure, Result};
use crate::text_table::{TextTable, fill, terminal_width};

/// The longest lines of prose.
const LINE: usize = 100;

/// How many names are offered for one that is not there.
const OFFERED: usize = 3;

/// List the SQL functions, or explain one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake functions
  loyalake functions bg_nbd_fit")]
pub(crate) struct FunctionsArgs {
    /// The function to explain
    name: Option<String>,
}

pub(crate) fn functions(args: &FunctionsArgs) -> Result<()> {
    let text = match &args.name {
        Some(name) => page(name)?,
        None => list()?,
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn entries() -> Result<Vec<CatalogueEntry>> {
    let failed = |source| JobsError::Execution {
        relation: "functions".to_owned(),
        source,
    };
    Ok(catalogue().map_err(failed)?)
}

/// All functions by domain, one line each.
pub(crate) fn list() -> Result<String> {
    let mut entries = entries()?;
    entries.sort_by(|one, two| (one.domain, &one.name).cmp(&(two.domain, &two.name)));
    let mut table = TextTable::new(&["domain", "function", "kind", "result"]);
    let mut last = "";
    for entry in &entries {
        let domain = if entry.domain == last {
            ""
        } else {
            entry.domain
        };
        let result = first_sentence(&entry.documentation.description);
        table.row([domain, &entry.name, kind(entry.kind), &result]);
        last = entry.domain;
    }
    Ok(table.render(terminal_width()))
}

/// The whole documentation of one of our functions.
pub(crate) fn page(name: &str) -> Result<String> {
    let entries = entries()?;
    let Some(entry) = entries
        .iter()
        .find(|entry| entry.name == name.to_lowercase())
    else {
        let names = entries.iter().map(|entry| entry.name.as_str()).collect();
        return Err(unknown("function", name, names));
    };
    let title = format!(
        "{} ({} function, {})",
        entry.name,
        kind(entry.kind),
        entry.domain
    );
    Ok(manual(&title, &entry.documentation))
}

/// A name that is not there, with those that are most like it.
pub(crate) fn unknown(what: &'static str, name: &str, mut names: Vec<&str>) -> Failure {
    let mut offered = Vec::new();
    while let Some(candidate) =
        nearest(name, names.iter().copied()).filter(|_| offered.len() < OFFERED)
    {
        names.retain(|known| *known != candidate);
        offered.push(candidate.to_owned());
    }
    Failure::UnknownName {
        what,
        name: name.to_owned(),
        nearest: offered.join(", "),
    }
}

/// Description, syntax, arguments, example.
pub(crate) fn manual(title: &str, documentation: &Documentation) -> String {
    let width = terminal_width().unwrap_or(LINE).min(LINE);
    let description = fill(documentation.description.trim(), width);
    let mut text = format!("{title}\n\n{description}");
    let _ = writeln!(text, "\n{}", indented(&documentation.syntax_example));
    for syntax in documentation.alternative_syntax.iter().flatten() {
        let _ = writeln!(text, "{}", indented(syntax));
    }
    let mut arguments = TextTable::new(&["argument", "meaning"]);
    for (name, meaning) in documentation.arguments.iter().flatten() {
        arguments.row([name, meaning.trim()]);
    }
    if !arguments.is_empty() {
        let _ = write!(text, "\n{}", arguments.render(None));
    }
    if let Some(example) = &documentation.sql_example {
        let example = example
            .trim()
            .trim_start_matches("```sql")
            .trim_matches('`')
            .trim_matches('\n');
        let _ = writeln!(text, "\nExample\n{}", indented(example));
    }
    if let Some(related) = documentation
        .related_udfs
        .as_ref()
        .filter(|names| !names.is_empty())
    {
        let _ = writeln!(text, "\nRelated: {}", related.join(", "));
    }
    text
}

fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Scalar => "scalar",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Table => "table",
    }
}

fn first_sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = text.split(". ").next().unwrap_or_default();
    sentence.trim_end_matches('.').to_owned()
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_function_has_a_line_and_a_page() {
        let list = list().expect("a list");
        for entry in entries().expect("entries") {
            assert!(list.contains(&entry.name), "{}", entry.name);
            let page = page(&entry.name).expect("a page");
            assert!(page.contains("\nExample\n"), "{page}");
        }
    }

    #[test]
    fn an_unknown_function_offers_the_most_similar_ones() {
        let failure = page("bg_nbd_fti").expect_err("no such function");
        let message = failure.to_string();
        assert!(
            message.starts_with("unknown function 'bg_nbd_fti'; did you mean bg_nbd_fit, "),
            "{message}"
        );
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn sentences_end_with_a_full_stop_and_a_space() {
        assert_eq!(
            first_sentence("Rate of 0.5\nper year. More."),
            "Rate of 0.5 per year"
        );
    }
}
