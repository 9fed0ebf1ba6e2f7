//! Log lines on stderr, where nobody looks at a terminal or somebody asks for them.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The environment variable that sets what is logged.
const FILTER: &str = "LOYALAKE_LOG";

/// The Delta kernel logs a table that is not there yet as an error; what matters comes back as one.
const DEFAULT: &str = "warn,loyalake=info,delta_kernel=off";

/// Formats of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Panics of a query's tasks, such as at a file's nonsense, come back as errors; they are for those
/// who debug.
fn log_panics_of_tasks() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("main") {
            usual(panic);
        } else {
            tracing::debug!("{panic}");
        }
    }));
}

/// Starts logging; false when progress is shown by bars instead.
pub(crate) fn start(format: Option<LogFormat>) -> bool {
    log_panics_of_tasks();
    let is_wanted = format.is_some() || std::env::var_os(FILTER).is_some();
    if stderr().is_terminal() && !is_wanted {
        return false;
    }
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_target(false)
        .with_ansi(stderr().is_terminal());
    match format {
        Some(LogFormat::Json) => lines.json().flatten_event(true).init(),
        Some(LogFormat::Text) | None => lines.init(),
    }
    true
}
