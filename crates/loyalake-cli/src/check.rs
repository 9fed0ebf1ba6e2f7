//! `loyalake check`: everything that can be known without running.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use indicatif::HumanCount;
use loyalake_jobs::report::Input;
use loyalake_jobs::{Config, Kind, Project};

use crate::failure::Result;
use crate::run::yesterday;
use crate::text_table::{TextTable, terminal_width};

/// Check configuration, sources and SQL without running anything
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake check
  loyalake check --config night/lake.toml")]
pub(crate) struct CheckArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,
}

pub(crate) async fn check(args: &CheckArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let ours = Project::without_config()?;
    let inputs = loyalake_jobs::run::check(&project, yesterday(&project)?).await?;
    let mut out = stdout().lock();
    writeln!(out, "{}", sources(&project, &inputs))?;
    writeln!(out, "{}", sql_files(&project))?;
    for line in overrides(&project, &ours) {
        writeln!(out, "  {line}")?;
    }
    let changed = changed_parameters(&project, &ours);
    if !changed.is_empty() {
        writeln!(out, "\n{}", changed.render(terminal_width()).trim_end())?;
    }
    writeln!(out, "\n{} can be run", args.config.display())?;
    Ok(())
}

fn sources(project: &Project, inputs: &[Input]) -> String {
    let mut table = TextTable::new(&["source", "files#", "rows#", "location"]);
    for input in inputs {
        let location = project
            .config
            .sources
            .get(&input.name)
            .map(|source| source.location.as_str());
        let files = HumanCount(input.files as u64).to_string();
        let rows = HumanCount(input.rows as u64).to_string();
        table.row([&input.name, &files, &rows, location.unwrap_or_default()]);
    }
    let absent = project
        .contracts
        .iter()
        .map(|contract| contract.name.as_str());
    let absent: Vec<&str> = absent
        .filter(|name| !project.config.sources.contains_key(*name))
        .collect();
    let mut text = table.render(terminal_width());
    if !absent.is_empty() {
        let _ = writeln!(text, "not supplied: {}", absent.join(", "));
    }
    for file in inputs.iter().flat_map(|input| &input.left_out) {
        let _ = writeln!(text, "left out: file '{}' {}", file.file, file.reason);
    }
    text
}

/// "SQL files: 12 staging, 3 intermediate, …"
fn sql_files(project: &Project) -> String {
    let files = project.graph.files();
    let counts = Kind::ALL.into_iter().map(|kind| {
        let count = files.iter().filter(|file| file.kind == kind).count();
        (count, kind.folder())
    });
    let counts = counts
        .filter(|(count, _)| *count > 0)
        .map(|(count, folder)| format!("{count} {folder}"));
    format!("SQL files: {}", counts.collect::<Vec<_>>().join(", "))
}

/// The user's SQL files, and whether ours stand behind them.
fn overrides(project: &Project, ours: &Project) -> Vec<String> {
    let own = project.graph.files().iter().filter(|file| file.is_override);
    own.map(|file| {
        let role = if ours.graph.get(&file.name).is_some() {
            "replaces ours"
        } else {
            "is added"
        };
        format!("{} {role}", file.path)
    })
    .collect()
}

/// Parameters whose value is not the default.
fn changed_parameters(project: &Project, ours: &Project) -> TextTable {
    let mut table = TextTable::new(&["parameter", "value", "default"]);
    for (name, parameter) in project.parameters.iter() {
        let default = ours.parameters.iter().find(|(other, _)| *other == name);
        let default = default.map_or_else(|| "none".to_owned(), |(_, default)| default.shown());
        let value = parameter.shown();
        if value != default {
            table.row([name, &value, &default]);
        }
    }
    table
}
