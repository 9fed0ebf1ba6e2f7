//! What a run finds before it does anything, and whether it has anything to do.

use std::collections::BTreeSet;
use std::sync::Arc;

use loyalake_lake::erasure::erased_customers;
use loyalake_lake::{BadFile, Location};
use serde_json::json;

use super::inputs::leaving_out_bad_files;
use super::select::selected_tables;
use super::{Observer, Run, RunOptions};
use crate::Result;
use crate::basis::{Basis, PROGRAM};
use crate::context;
use crate::fingerprint::digest;
use crate::ledger::Ledger;
use crate::project::Project;
use crate::report::{Outcome, Skipped};
use crate::session::{JOB_SCHEMA, Session};

/// What a run works from.
pub(super) struct Opened<'a> {
    pub(super) session: Session<'a>,
    /// Tables to publish.
    pub(super) tables: BTreeSet<String>,
    pub(super) output: Location,
    /// The customers that are erased.
    pub(super) erased: BTreeSet<String>,
    /// The inputs that no SQL file computes, and what changes with each.
    pub(super) leaves: Basis,
    /// Changes when anything does that the run's rows depend on.
    pub(super) fingerprint: String,
}

impl<'a> Opened<'a> {
    pub(super) async fn open(
        project: &'a Project,
        options: &RunOptions,
        left_out: &[(String, BadFile)],
    ) -> Result<Self> {
        let tables = selected_tables(project, &options.select)?;
        let engine = project.engine.as_ref();
        let context = context::context_on(engine, &project.config, JOB_SCHEMA)?;
        let date = options.as_of_date;
        let session = Session::open_without(project, context, date, left_out).await?;
        let output = session.locate(&project.config.lake.output)?;
        let erased = erased_customers(&output).await?;
        let ledger = Ledger::read(project, &output).await?;
        let published = session
            .define_published(ledger.as_ref(), &output, date)
            .await?;
        let leaves = session.leaves(&published, &erased);
        let fingerprint = digest(&json!({
            "program": PROGRAM,
            "sql": project.sql_fingerprint,
            "parameters": session.parameters.to_json(),
            "tables": tables,
            "inputs": leaves,
        }));
        Ok(Self {
            session,
            tables,
            output,
            erased,
            leaves,
            fingerprint,
        })
    }
}

/// Runs a project for one date, unless `ledger` has the date with the fingerprint that this run
/// would have.
///
/// # Errors
/// As for [`run()`](super::run()).
pub async fn run_unless_published(
    project: &Project,
    options: &RunOptions,
    ledger: &Ledger,
    observer: Arc<dyn Observer>,
) -> Result<Outcome> {
    let as_of_date = options.as_of_date;
    leaving_out_bad_files(project, async |left_out| {
        let opened = Opened::open(project, options, left_out).await?;
        if let Some(row) = ledger.of_date(as_of_date)
            && row.fingerprint.as_ref() == Some(&opened.fingerprint)
        {
            return Ok(Outcome::Skipped(Skipped {
                as_of_date,
                run_id: row.run_id.clone(),
                fingerprint: opened.fingerprint,
                skipped: "published already from the same inputs, parameters, SQL and program",
            }));
        }
        let run = Run::prepare(opened, options, Arc::clone(&observer)).await?;
        Ok(Outcome::Published(Box::new(run.execute().await?)))
    })
    .await
}
