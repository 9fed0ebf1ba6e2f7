//! What can end the command: its message, its exit code, and the text that it points at.

use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use datafusion::arrow::error::ArrowError;
use loyalake_jobs::{JobsError, Place};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
};

/// Bytes of a line that are shown: drawing code pads lines, and can't pad endlessly.
const MAX_SHOWN: usize = 400;

/// Bytes of a line of a message.
const MAX_MESSAGE: usize = 4_000;

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A condition that ends the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The project or a query.
    #[error(transparent)]
    Jobs(#[from] JobsError),
    /// A role of a cluster.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Cluster(#[from] loyalake_cluster::ClusterError),
    /// A cluster, and a program that knows of none.
    #[cfg(not(feature = "cluster"))]
    #[error(
        "this `loyalake` is built for one machine; for clusters build it with `cargo build \
        --release --bin loyalake --features loyalake-cli/cluster`"
    )]
    WithoutCluster,
    /// A range of dates that stopped in the middle.
    #[error("{date}: {source}")]
    Stopped {
        /// The date that failed.
        date: NaiveDate,
        /// The command that goes on from there.
        resume: String,
        /// Why it failed.
        source: JobsError,
    },
    /// `--every` beside a single date.
    #[error("--every needs a range of dates; write --as-of 2026-01-01..2026-06-30")]
    EveryWithoutRange,
    /// `erase` without anybody.
    #[error(
        "nobody to erase, and no erasure was interrupted; name customers with --customer-id or \
         --from-file"
    )]
    NobodyToErase,
    /// A statement that would change something.
    #[error(
        "'{}' would change something; `loyalake sql` is read-only: it takes select, values, \
        explain, show and describe",
        &_0.text[_0.offset.._0.offset + _0.length]
    )]
    NotReadOnly(Place),
    /// Ctrl-C during a query.
    #[error("interrupted")]
    Interrupted,
    /// A name that is not there.
    #[error("unknown {what} '{name}'; did you mean {nearest}?")]
    UnknownName {
        /// What it would be the name of.
        what: &'static str,
        /// The name.
        name: String,
        /// The most similar names.
        nearest: String,
    },
    /// `init` into a folder where something is.
    #[error("folder '{}' is not empty; name a new one", path.display())]
    FolderNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file that can't be read.
    #[error("{}: {source}; check the path", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file that can't be written.
    #[error("{}: {source}; check that the folder exists and can be written to", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Stdout or the terminal.
    #[error("output: {0}")]
    Output(#[from] io::Error),
    /// A value that can't be shown.
    #[error("output: {0}")]
    Encode(#[from] ArrowError),
    /// The prompt.
    #[error("prompt: {0}")]
    Prompt(#[from] rustyline::error::ReadlineError),
}

impl Failure {
    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Jobs(source) | Self::Stopped { source, .. } => source.exit_code(),
            #[cfg(feature = "cluster")]
            Self::Cluster(loyalake_cluster::ClusterError::Jobs(source)) => source.exit_code(),
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => 1,
            #[cfg(not(feature = "cluster"))]
            Self::WithoutCluster => 2,
            Self::EveryWithoutRange
            | Self::NobodyToErase
            | Self::NotReadOnly(_)
            | Self::UnknownName { .. }
            | Self::FolderNotEmpty { .. }
            | Self::Read { .. } => 2,
            Self::Interrupted
            | Self::Write { .. }
            | Self::Output(_)
            | Self::Encode(_)
            | Self::Prompt(_) => 1,
        }
    }

    /// Whether whoever reads our output has seen enough.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message in one line, with the place in the user's file that it is about.
    pub(crate) fn headline(&self) -> String {
        let message = self.to_string();
        let place = self
            .place()
            .map(|place| format!("{}:{}", place.file, place.line()));
        match place.filter(|place| !message.contains(place)) {
            Some(place) => printable(&format!("{place}: {message}")),
            None => printable(&message),
        }
    }

    /// The message, and a drawing of the lines that it is about.
    pub(crate) fn render(&self) -> String {
        let place = self.place().filter(|place| place.length > 0);
        let mut diagnostic = MietteDiagnostic::new(self.headline());
        if let Self::Stopped { resume, .. } = self {
            diagnostic = diagnostic.with_help(format!("when it is mended, go on with: {resume}"));
        }
        let report = match place {
            Some(place) => {
                let (text, offset, length) = excerpt(place);
                let span = LabeledSpan::new(None, offset, length);
                let source = NamedSource::new(&place.file, text);
                Report::new(diagnostic.with_label(span)).with_source_code(source)
            }
            None => Report::new(diagnostic),
        };
        draw(&report)
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Jobs(source) | Self::Stopped { source, .. } => source.place(),
            Self::NotReadOnly(place) => Some(place),
            _ => None,
        }
    }
}

/// A message that a terminal can show: quoted input does not steer it, and does not fill it.
fn printable(message: &str) -> String {
    let lines = message.split('\n').map(|line| {
        let end = line.floor_char_boundary(MAX_MESSAGE);
        let dots = if end < line.len() { " …" } else { "" };
        blank_controls(&line[..end]) + dots
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Spaces, of as many bytes, in place of what steers terminals.
fn blank_controls(text: &str) -> String {
    let blank = |symbol: char| " ".repeat(symbol.len_utf8());
    text.chars()
        .map(|symbol| match symbol {
            '\t' | '\n' => symbol.to_string(),
            _ if symbol.is_control() => blank(symbol),
            _ => symbol.to_string(),
        })
        .collect()
}

/// The text of a place with its long lines cut, and where the place is in it.
fn excerpt(place: &Place) -> (String, usize, usize) {
    let (mut text, mut offset, mut start) = (String::new(), 0, 0);
    for line in place.text.split_inclusive('\n') {
        let words = line.trim_end_matches('\n');
        let inside = place.offset.saturating_sub(start);
        let is_inside = inside < line.len();
        let from = if is_inside { inside } else { 0 };
        let from = words.floor_char_boundary(from.saturating_sub(MAX_SHOWN / 2));
        let from = if words.len() > MAX_SHOWN { from } else { 0 };
        let to = words.floor_char_boundary(from.saturating_add(MAX_SHOWN));
        if start <= place.offset && is_inside {
            offset = text.len() + inside.min(to) - from;
        }
        text.push_str(&blank_controls(&words[from..to]));
        text.push('\n');
        start += line.len();
    }
    let length = place.length.min(MAX_SHOWN / 2);
    let end = text.floor_char_boundary(offset + length);
    (text, offset, end.saturating_sub(offset))
}

fn draw(report: &Report) -> String {
    let theme = if console::colors_enabled_stderr() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("{report}\n"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use std::path::Path;
    use std::sync::Arc;

    use loyalake_jobs::Config;

    use super::*;

    #[test]
    fn a_report_names_the_line_and_shows_it() {
        let text = "[lake]\noutput = \"lake\"\n[engine]\npartitons = 2\n";
        let error = Config::parse(Path::new("lake.toml"), text).expect_err("a wrong key");
        let report = Failure::from(error).render();
        assert!(
            report.contains("lake.toml:4: unknown key 'partitons'"),
            "{report}"
        );
        assert!(report.contains("partitons = 2"), "{report}");
    }

    #[test]
    fn long_lines_and_control_characters_are_not_drawn() {
        let long = format!("select {}ä\u{1b}[2J\u{9b} from", "(".repeat(100_000));
        let text = Arc::from(format!("-- {long}\n{long} a_table where\n{long}"));
        let place = Place::of_word("a.sql", &text, "a_table");
        let message = format!("a\rtable '{long}'");
        let report = Failure::from(JobsError::Sql { message, place }).render();
        assert!(report.contains("a.sql:2: a table 'select (((("), "{report}");
        assert!(report.contains("from a_table where"), "{report}");
        assert!(report.len() < 10_000, "{}", report.len());
        assert!(!report.contains(['\u{1b}', '\u{9b}', '\r']), "{report}");
    }

    #[test]
    fn a_stopped_range_says_how_to_go_on() {
        let date = NaiveDate::from_ymd_opt(2026, 2, 1).expect("a date");
        let resume = "loyalake run --as-of 2026-02-01..2026-03-01".to_owned();
        let stopped = Failure::Stopped {
            date,
            resume,
            source: JobsError::Interrupted,
        };
        let report = stopped.render();
        assert!(report.contains("2026-02-01: interrupted"), "{report}");
        assert!(
            report.contains("go on with: loyalake run --as-of 2026-02-01..2026-03-01"),
            "{report}"
        );
        assert_eq!(stopped.exit_code(), 1);
    }
}
