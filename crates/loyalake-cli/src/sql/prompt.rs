//! The prompt: statements end with `;`, commands begin with `\`.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;

use loyalake_jobs::Project;
use loyalake_jobs::analyst::Analyst;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::completion::Assistant;
use super::reference::{self, Command};
use super::{Format, execute};
use crate::failure::Result;

/// Lines that are remembered.
const HISTORY: usize = 10_000;

/// Reads and runs statements until Ctrl-D.
pub(super) async fn prompt(
    analyst: &Analyst,
    project: Option<&Project>,
    format: Format,
) -> Result<()> {
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .completion_type(CompletionType::List)
        .auto_add_history(true)
        .build();
    let mut editor = Editor::<Assistant, FileHistory>::with_config(config)?;
    editor.set_helper(Some(Assistant::new(&analyst.context)));
    let history = history_file();
    if let Some(path) = &history {
        // without a history the prompt works as well
        let _ = editor.load_history(path);
    }
    greet(analyst)?;
    let mut session = Session {
        analyst,
        project,
        format,
        shows_time: stdout().is_terminal(),
    };
    loop {
        let text = match editor.readline("loyalake> ") {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if let Some(path) = &history {
            let _ = editor.append_history(path);
        }
        let done = tokio::select! {
            done = session.answer(text.trim()) => done,
            _ = tokio::signal::ctrl_c() => Ok(Next::Cancelled),
        };
        match done {
            Ok(Next::Quit) => return Ok(()),
            Ok(Next::Line) => {}
            Ok(Next::Cancelled) => writeln!(stderr(), "cancelled")?,
            Err(failure) if failure.is_broken_pipe() => return Ok(()),
            Err(failure) => stderr().write_all(failure.render().as_bytes())?,
        }
    }
}

fn greet(analyst: &Analyst) -> Result<()> {
    let mut out = stdout();
    if let Some(date) = analyst.as_of_date {
        writeln!(out, "tables as of {date}; schema history has every date")?;
    }
    writeln!(out, "end a query with ; – \\? for help, Ctrl-D to leave")?;
    Ok(())
}

/// What follows an answer.
enum Next {
    Line,
    Cancelled,
    Quit,
}

/// What the prompt remembers between lines.
struct Session<'a> {
    analyst: &'a Analyst,
    project: Option<&'a Project>,
    format: Format,
    shows_time: bool,
}

impl Session<'_> {
    async fn answer(&mut self, text: &str) -> Result<Next> {
        let Some(command) = Command::parse(text) else {
            execute(self.analyst, "query", text, self.format, self.shows_time).await?;
            return Ok(Next::Line);
        };
        let answer = match command {
            Command::Quit => return Ok(Next::Quit),
            Command::Help => reference::HELP.to_owned(),
            Command::Tables => reference::tables(self.analyst),
            Command::Table(name) => reference::table(self.analyst, self.project, name).await?,
            Command::Functions => crate::functions::list()?,
            Command::Function(name) => reference::function(self.analyst, name)?,
            Command::Timing => {
                self.shows_time = !self.shows_time;
                format!(
                    "time is {}\n",
                    if self.shows_time {
                        "shown"
                    } else {
                        "not shown"
                    }
                )
            }
            Command::Format(format) => {
                self.format = format;
                String::new()
            }
            Command::Unknown(command) => format!("{command} is no command; \\? lists them\n"),
        };
        stdout().write_all(answer.as_bytes())?;
        Ok(Next::Line)
    }
}

/// The file of earlier lines, in the folder for what programs remember.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let folder = state
        .or_else(|| Some(std::env::home_dir()?.join(".local/state")))?
        .join("loyalake");
    std::fs::create_dir_all(&folder).ok()?;
    let file = folder.join("history");
    // appending needs a file
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&file)
        .ok()?;
    Some(file)
}
