//! Log lines on stderr, where nobody looks at a terminal or somebody asks for them.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The environment variable that sets what is logged.
const FILTER: &str = "LOYALAKE_LOG";

/// The Delta kernel logs a table that is not there yet as an error, Ballista a reader that has seen
/// enough, and statistics that it can't draw, a task of a cluster that it has but some parts of a
/// table; what matters comes back as an error.
const DEFAULT: &str = "warn,loyalake=info,delta_kernel=off,ballista_core::execution_plans=off,\
    ballista_scheduler::state::executor_manager=error,ballista_scheduler::display=off,\
    datafusion_datasource::file_scan_config=error";

/// What speaks with object stores logs what goes over the wire, credentials among it, when asked
/// for everything.
const WIRE: [&str; 5] = ["h2", "hyper", "hyper_util", "reqwest", "rustls"];

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
    let filter = filter(std::env::var(FILTER).ok().as_deref());
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

/// What is logged, of all that is asked for.
fn filter(wanted: Option<&str>) -> EnvFilter {
    let filter = wanted.and_then(|text| EnvFilter::try_new(text).ok());
    let wire = WIRE
        .iter()
        .filter_map(|name| format!("{name}=warn").parse().ok());
    wire.fold(
        filter.unwrap_or_else(|| EnvFilter::new(DEFAULT)),
        EnvFilter::add_directive,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_wire_is_not_logged() {
        for wanted in ["trace", "hyper=trace,h2=debug", "no filter", ""] {
            let filter = filter(Some(wanted)).to_string();
            for name in WIRE {
                assert!(
                    filter.contains(&format!("{name}=warn")),
                    "{wanted}: {filter}"
                );
            }
            assert!(!filter.contains("hyper=trace"), "{filter}");
        }
    }
}
