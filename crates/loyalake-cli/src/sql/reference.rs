//! Commands of the prompt that begin with `\`: what is there, and what it means.

use clap::ValueEnum;
use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use loyalake_jobs::analyst::Analyst;
use loyalake_jobs::{JobsError, Project};

use super::Format;
use crate::failure::Result;
use crate::text_table::{TextTable, terminal_width};

/// Schemas that only the machinery reads.
const HIDDEN: [&str; 2] = ["information_schema", "run"];

/// All commands, for completion.
pub(super) const COMMANDS: [&str; 6] = ["\\?", "\\d", "\\df", "\\format", "\\q", "\\timing"];

/// The answer to `\?`.
pub(super) const HELP: &str = "\
\\d               schemas and tables
\\d name          a table: columns, types, meaning
\\df              functions
\\df name         a function: arguments, meaning, an example
\\format csv      print results as table, csv or json
\\timing          show the time of queries, or not
\\q               leave (or Ctrl-D)

A query ends with ; and may have several lines. Ctrl-C cancels a query or what is typed.
Tab completes keywords, tables, columns and functions. A quoted path reads a file:
    select * from 'orders/*.parquet' limit 5;
";

/// A line that is not SQL.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Help,
    Tables,
    Table(&'a str),
    Functions,
    Function(&'a str),
    Timing,
    Format(Format),
    Quit,
    Unknown(&'a str),
}

impl<'a> Command<'a> {
    /// The command in a line; none: the line is SQL.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let mut words = line.split_whitespace();
        let command = match (words.next()?, words.next()) {
            ("\\?" | "\\h" | "help", None) => Self::Help,
            ("\\d", None) => Self::Tables,
            ("\\d", Some(name)) => Self::Table(name),
            ("\\df", None) => Self::Functions,
            ("\\df", Some(name)) => Self::Function(name),
            ("\\timing", None) => Self::Timing,
            ("\\format", Some(name)) => match Format::from_str(name, true) {
                Ok(format) => Self::Format(format),
                Err(_) => Self::Unknown(line),
            },
            ("\\q" | "quit" | "exit", None) => Self::Quit,
            _ if line.starts_with('\\') => Self::Unknown(line),
            _ => return None,
        };
        Some(command)
    }
}

/// Schemas with the names of their tables.
pub(super) fn schemas(context: &SessionContext) -> Vec<(String, Vec<String>)> {
    let default = context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    let Some(catalog) = context.catalog(&default) else {
        return Vec::new();
    };
    let names = catalog
        .schema_names()
        .into_iter()
        .filter(|name| !HIDDEN.contains(&name.as_str()));
    let schemas = names.filter_map(|name| {
        let mut tables = catalog.schema(&name)?.table_names();
        tables.sort();
        Some((name, tables))
    });
    let mut schemas: Vec<_> = schemas.filter(|(_, tables)| !tables.is_empty()).collect();
    schemas.sort();
    schemas
}

/// The answer to `\d`.
pub(super) fn tables(analyst: &Analyst) -> String {
    let mut table = TextTable::new(&["schema", "table"]);
    for (schema, names) in schemas(&analyst.context) {
        for name in names {
            table.row([&schema, &name]);
        }
    }
    if table.is_empty() {
        return "no tables; a quoted path reads a file: select * from 'orders/*.parquet';\n"
            .to_owned();
    }
    table.render(terminal_width())
}

/// The answer to `\d name`.
pub(super) async fn table(
    analyst: &Analyst,
    project: Option<&Project>,
    name: &str,
) -> Result<String> {
    let reference = find(&analyst.context, name);
    let failed = |source| JobsError::Execution {
        relation: name.to_owned(),
        source,
    };
    let table = analyst
        .context
        .table_provider(reference.clone())
        .await
        .map_err(failed)?;
    let schema = table.schema();
    let Some(project) = project else {
        return Ok(crate::tables::columns(&schema, |_| ""));
    };
    let name = reference.table();
    let text = if reference.schema() == Some("source") {
        let contract = project
            .contracts
            .iter()
            .find(|contract| contract.name == name);
        let columns = contract
            .map(|contract| contract.columns.as_slice())
            .unwrap_or_default();
        let column = |name: &str| columns.iter().find(|column| column.name == name);
        crate::tables::columns(&schema, |name| {
            column(name).map_or("", |column| &column.comment)
        })
    } else if let Some(file) = project.graph.get(name) {
        crate::tables::relation(file, &schema)
    } else {
        crate::tables::columns(&schema, |_| "")
    };
    Ok(text)
}

/// The table of a bare name: in the default schema, or in the only one that has it.
fn find(context: &SessionContext, name: &str) -> TableReference {
    let reference = TableReference::from(name);
    let default = context
        .state()
        .config_options()
        .catalog
        .default_schema
        .clone();
    let schemas = schemas(context);
    let has = |schema: &&(String, Vec<String>)| schema.1.iter().any(|table| table == name);
    if reference.schema().is_some()
        || schemas
            .iter()
            .any(|schema| schema.0 == default && has(&schema))
    {
        return reference;
    }
    match schemas.iter().find(has) {
        Some((schema, _)) => TableReference::partial(schema.as_str(), name),
        None => reference,
    }
}

/// The answer to `\df name`: one of ours, or one of the engine's.
pub(super) fn function(analyst: &Analyst, name: &str) -> Result<String> {
    let state = analyst.context.state();
    let scalar = state.scalar_functions().get(name);
    let aggregate = state.aggregate_functions().get(name);
    let window = state.window_functions().get(name);
    crate::functions::page(name).or_else(|unknown| {
        let documentation = scalar.and_then(|function| function.documentation());
        let documentation =
            documentation.or_else(|| aggregate.and_then(|function| function.documentation()));
        let documentation =
            documentation.or_else(|| window.and_then(|function| function.documentation()));
        documentation
            .map(|documentation| crate::functions::manual(name, documentation))
            .ok_or(unknown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_begin_with_a_backslash() {
        assert_eq!(Command::parse("\\d"), Some(Command::Tables));
        assert_eq!(
            Command::parse(" \\d customer_ltv; "),
            Some(Command::Table("customer_ltv"))
        );
        assert_eq!(Command::parse("\\df sum"), Some(Command::Function("sum")));
        assert_eq!(
            Command::parse("\\format csv"),
            Some(Command::Format(Format::Csv))
        );
        assert_eq!(
            Command::parse("\\format xml"),
            Some(Command::Unknown("\\format xml"))
        );
        assert_eq!(Command::parse("exit;"), Some(Command::Quit));
        assert_eq!(Command::parse("select 1;"), None);
        assert_eq!(Command::parse(""), None);
    }
}
