//! `loyalake graph`: which relation reads which.

use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use loyalake_jobs::graph::GraphFormat;
use loyalake_jobs::{Config, Project};

use crate::failure::Result;

/// Print the job graph: each relation after those that it reads
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  loyalake graph
  loyalake graph --format dot | dot -Tsvg > jobs.svg")]
pub(crate) struct GraphArgs {
    /// The project's configuration
    #[arg(long, value_name = "FILE", default_value = "lake.toml")]
    config: PathBuf,

    /// How to draw it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One line for each relation
    Text,
    /// A Mermaid flow chart
    Mermaid,
    /// A Graphviz digraph
    Dot,
}

pub(crate) fn graph(args: &GraphArgs) -> Result<()> {
    let project = Project::open(Config::read(&args.config)?)?;
    let format = match args.format {
        Format::Text => GraphFormat::Text,
        Format::Mermaid => GraphFormat::Mermaid,
        Format::Dot => GraphFormat::Dot,
    };
    stdout().write_all(project.graph.render(format).as_bytes())?;
    Ok(())
}
