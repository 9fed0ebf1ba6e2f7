//! The command `loyalake`: arguments in, results and exit codes out. `loyalake-jobs` does the work.

mod check;
mod cluster;
mod columns;
mod dates;
mod erase;
mod export;
mod failure;
mod functions;
mod graph;
mod init;
mod log;
mod maintain;
mod rollback;
mod run;
mod sql;
mod tables;
mod text_table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use failure::Result;
use log::LogFormat;

#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage or configuration
  3  an audit failed, nothing was published
  4  too many quarantined rows, nothing was published

The environment variable LOYALAKE_LOG sets what is logged: `debug`, `warn,loyalake=debug`, ….";

/// Customer lifetime value, loyalty and segments, from the orders in a data lake.
#[derive(Debug, Parser)]
#[command(name = "loyalake", version, after_help = EXIT_CODES)]
struct Cli {
    /// Log lines on stderr; the default is progress bars on a terminal, text otherwise
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<LogFormat>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Graph(graph::GraphArgs),
    Sql(sql::SqlArgs),
    Export(export::ExportArgs),
    Maintain(maintain::MaintainArgs),
    Rollback(rollback::RollbackArgs),
    Erase(erase::EraseArgs),
    Cluster(cluster::ClusterArgs),
    Functions(functions::FunctionsArgs),
    Tables(tables::TablesArgs),
    Init(init::InitArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_json = cli.log_format == Some(LogFormat::Json);
    // roles go on for long, and are seldom looked at
    let is_role = matches!(cli.command, Command::Cluster(_));
    let format = cli.log_format.or(is_role.then_some(LogFormat::Text));
    let has_log = log::start(format);
    match Box::pin(execute(cli.command, has_log)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            let exit_code = failure.exit_code();
            if is_json {
                tracing::error!(exit_code, "{}", failure.headline());
            } else {
                eprint!("{}", failure.render());
            }
            ExitCode::from(exit_code)
        }
    }
}

async fn execute(command: Command, has_log: bool) -> Result<()> {
    match command {
        Command::Run(args) => run::run(&args, has_log).await,
        Command::Check(args) => check::check(&args).await,
        Command::Graph(args) => graph::graph(&args),
        Command::Sql(args) => sql::sql(&args).await,
        Command::Export(args) => export::export(&args).await,
        Command::Maintain(args) => maintain::maintain(&args).await,
        Command::Rollback(args) => rollback::rollback(&args).await,
        Command::Erase(args) => erase::erase(&args).await,
        Command::Cluster(args) => cluster::cluster(args).await,
        Command::Functions(args) => functions::functions(&args),
        Command::Tables(args) => tables::tables(&args).await,
        Command::Init(args) => init::init(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_fit_together() {
        super::Cli::command().debug_assert();
    }
}
