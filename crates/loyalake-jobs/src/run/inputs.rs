//! What a run knows of its inputs: how much there was, what was left out, and which file is to
//! blame when reading fails.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;

use datafusion::arrow::error::ArrowError;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use futures::FutureExt;
use loyalake_lake::{BadFile, LakeError};

use super::Run;
use crate::config::BadFilePolicy;
use crate::error::count;
use crate::project::Project;
use crate::report::{Input, LeftOut};
use crate::session::{Session, scan};
use crate::{JobsError, Result};

impl Run<'_> {
    /// Inputs without rows, and files that are not read.
    pub(super) fn warn_of_inputs(&mut self) {
        for input in &self.report.inputs {
            let source = format!("source '{}'", input.name);
            let mut warn = |what: String| self.report.warnings.push(format!("{source}: {what}"));
            if let Some(found) = self.session.sources.get(&input.name) {
                found.notes.iter().cloned().for_each(&mut warn);
            }
            if input.rows == 0 {
                warn(format!("no rows in {}", count(input.files, "file")));
            }
            if !input.left_out.is_empty() {
                let all = input.files + input.left_out.len();
                let number = input.left_out.len();
                warn(format!("{number} of {} left out", count(all, "file")));
            }
            for file in &input.left_out {
                warn(format!("left out: file '{}' {}", file.file, file.reason));
            }
        }
    }
}

/// Does something again without files that could not be read, where the configuration says so.
pub(super) async fn leaving_out_bad_files<T>(
    project: &Project,
    attempt: impl AsyncFn(&[(String, BadFile)]) -> Result<T>,
) -> Result<T> {
    let mut left_out: Vec<(String, BadFile)> = Vec::new();
    loop {
        match attempt(&left_out).await {
            Err(JobsError::BadFiles { source_name, files })
                if project.skips_bad_files(&source_name) =>
            {
                left_out.extend(files.into_iter().map(|file| (source_name.clone(), file)));
            }
            done => return done,
        }
    }
}

impl Project {
    fn skips_bad_files(&self, source: &str) -> bool {
        let config = self.config.sources.get(source);
        config.is_some_and(|config| config.on_bad_file == BadFilePolicy::Skip)
    }
}

impl Session<'_> {
    /// Refuses to go on when a file is not what it was when the run began.
    pub(super) async fn refuse_changed_sources(&self) -> Result<()> {
        for source in self.sources.values() {
            source.refuse_changes().await?;
        }
        Ok(())
    }

    /// The error that says which file is to blame for a failure, if one is.
    pub(super) async fn blame_files(&self, error: JobsError) -> JobsError {
        if !may_be_of_files(&error) {
            return error;
        }
        // the likelier cause comes first: somebody writes while we read
        for source in self.sources.values() {
            let changed = source.refuse_changes().await;
            if let Err(
                cause @ (LakeError::SourceChanged { .. } | LakeError::MissingDeltaFile { .. }),
            ) = changed.and(source.refuse_missing().await)
            {
                return cause.into();
            }
        }
        let named = bad_file(&error);
        for (name, source) in &self.sources {
            let files = match &named {
                Some(file) if source.has(file) => vec![file.clone()],
                Some(_) => continue,
                None => {
                    let all = self.project.skips_bad_files(name);
                    source.broken_files(all).await.unwrap_or_default()
                }
            };
            if !files.is_empty() {
                let source_name = name.clone();
                return JobsError::BadFiles { source_name, files };
            }
        }
        error
    }
}

/// Files, rows and fingerprint of every source; Parquet tells its rows without being read.
pub(super) async fn inputs(session: &Session<'_>) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for (name, source) in &session.sources {
        let failed = |error| JobsError::Execution {
            relation: format!("source.{name}"),
            source: error,
        };
        let plan = scan(name, std::sync::Arc::clone(&source.table)).map_err(failed)?;
        let rows = DataFrame::new(session.state(), plan)
            .count()
            .await
            .map_err(failed)?;
        let left_out = source.left_out.iter().map(|file| LeftOut {
            file: file.location.clone(),
            reason: file.problem.clone(),
        });
        inputs.push(Input {
            name: name.clone(),
            files: source.files.len(),
            bytes: source.files.iter().map(|file| file.size).sum(),
            bytes_read: 0,
            rows,
            fingerprint: source.fingerprint(),
            left_out: left_out.collect(),
        });
    }
    Ok(inputs)
}

/// A panic of whatever runs, as an error.
pub(super) async fn caught(running: impl Future<Output = Result<()>>) -> Result<()> {
    match AssertUnwindSafe(running).catch_unwind().await {
        Ok(done) => done,
        Err(panic) => Err(JobsError::Panicked {
            message: panic_message(panic.as_ref()),
        }),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it does not say why").to_owned()
}

/// The file that an error names.
fn bad_file(error: &JobsError) -> Option<BadFile> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(LakeError::BadFile(file)) = error.downcast_ref() {
            return Some(file.clone());
        }
        next = error.source();
    }
    None
}

/// Whether reading a file can have failed so; sums that don't fit, say, are no file's fault.
fn may_be_of_files(error: &JobsError) -> bool {
    let source = match error {
        JobsError::Panicked { .. } | JobsError::Lake(LakeError::Store(_)) => return true,
        JobsError::Execution { source, .. } | JobsError::Lake(LakeError::Query(source)) => source,
        _ => return false,
    };
    match source.find_root() {
        DataFusionError::ArrowError(error, _) => matches!(
            error.as_ref(),
            ArrowError::ParquetError(_) | ArrowError::IoError(..) | ArrowError::ExternalError(_)
        ),
        root => matches!(
            root,
            DataFusionError::ParquetError(_)
                | DataFusionError::ObjectStore(_)
                | DataFusionError::IoError(_)
                | DataFusionError::ExecutionJoin(_)
                | DataFusionError::External(_)
        ),
    }
}
