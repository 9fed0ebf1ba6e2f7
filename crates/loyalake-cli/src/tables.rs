//! `loyalake tables`: the manual of the published tables and of the inputs.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use datafusion::arrow::datatypes::Schema;
use loyalake_jobs::contract::Contract;
use loyalake_jobs::{Config, Kind, Project, SqlFile};

use crate::columns::sql_type;
use crate::failure::Result;
use crate::functions::unknown;
use crate::text_table::{TextTable, terminal_width};

/// List the published tables and the inputs, or explain one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake tables
  loyalake tables customer_ltv
  loyalake tables source.orders
  loyalake tables --config lake.toml             with your own tables")]
pub(crate) struct TablesArgs {
    /// The table, input or other relation to explain
    name: Option<String>,

    /// A project, to see its own tables and types
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) async fn tables(args: &TablesArgs) -> Result<()> {
    let project = match &args.config {
        Some(config) => Project::open(Config::read(config)?)?,
        None => Project::without_config()?,
    };
    let text = match &args.name {
        Some(name) => page(&project, name).await?,
        None => list(&project),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn list(project: &Project) -> String {
    let mut tables = TextTable::new(&["published table", "one row for each", "what it is"]);
    for file in project.marts() {
        tables.row([&file.name, &file.grain().join(", "), file.description()]);
    }
    let mut inputs = TextTable::new(&["input", "supply", "what it is"]);
    for contract in &project.contracts {
        inputs.row([&contract.name, supply(contract), &contract.description]);
    }
    let width = terminal_width();
    format!("{}\n{}", tables.render(width), inputs.render(width))
}

async fn page(project: &Project, name: &str) -> Result<String> {
    let bare = name.strip_prefix("source.").unwrap_or(name);
    if let Some(contract) = project
        .contracts
        .iter()
        .find(|contract| contract.name == bare)
    {
        return Ok(input(contract));
    }
    if let Some(file) = project
        .graph
        .get(name)
        .filter(|file| file.kind <= Kind::Mart)
    {
        return Ok(relation(file, project.schema(file).await?.as_ref()));
    }
    let inputs = project
        .contracts
        .iter()
        .map(|contract| contract.name.as_str());
    let files = project
        .graph
        .files()
        .iter()
        .filter(|file| file.kind <= Kind::Mart);
    Err(unknown(
        "table",
        name,
        inputs.chain(files.map(|file| file.name.as_str())).collect(),
    ))
}

/// Everything that a relation's file says of it.
pub(crate) fn relation(file: &SqlFile, schema: &Schema) -> String {
    let mut text = format!("{}: {}\n\n", file.name, file.description());
    for key in ["grain", "inputs", "params", "source"] {
        if let Some(value) = file.header(key) {
            let _ = writeln!(text, "{key:<6}  {value}");
        }
    }
    let comments = file.column_comments();
    let comment = |name: &str| comments.get(name).map_or("", String::as_str);
    let _ = write!(
        text,
        "file    {}\n\n{}",
        file.path,
        columns(schema, comment)
    );
    if file.kind == Kind::Mart {
        text.push_str(
            "\nPublished rows also have as_of_date, the date that they describe, and run_id.\n",
        );
    }
    text
}

/// Columns with their types and what is known of them.
pub(crate) fn columns<'a>(schema: &Schema, comment: impl Fn(&str) -> &'a str) -> String {
    let mut table = TextTable::new(&["column", "type", "unit or meaning"]);
    for field in schema.fields() {
        table.row([
            field.name(),
            &sql_type(field.data_type()),
            comment(field.name()),
        ]);
    }
    table.render(terminal_width())
}

/// A contract: what a source must look like.
fn input(contract: &Contract) -> String {
    let mut table = TextTable::new(&["column", "type", "", "meaning"]);
    for column in &contract.columns {
        let need = if column.is_required {
            "required"
        } else {
            "optional"
        };
        table.row([
            &column.name,
            &sql_type(&column.data_type),
            need,
            &column.comment,
        ]);
    }
    format!(
        "{}: {}\n\n{} input, configured as [sources.{}]\n\n{}",
        contract.name,
        contract.description,
        supply(contract),
        contract.name,
        table.render(terminal_width())
    )
}

fn supply(contract: &Contract) -> &'static str {
    if contract.is_required {
        "required"
    } else {
        "optional"
    }
}
