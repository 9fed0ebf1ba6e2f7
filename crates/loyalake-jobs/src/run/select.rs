//! Which tables a run publishes, and what has to be computed for them.

use std::collections::BTreeSet;

use crate::config::nearest;
use crate::project::Project;
use crate::sql_file::{Kind, SqlFile};
use crate::{JobsError, Result};

/// The marts that patterns select, and those that record the run.
pub(super) fn selected_tables(project: &Project, patterns: &[String]) -> Result<BTreeSet<String>> {
    let selected = project.graph.select(patterns).map_err(|name| {
        let names = project.graph.files().iter().map(|file| file.name.as_str());
        let hint = nearest(&name, names).unwrap_or_default();
        let message = format!("--select: '{name}' is no relation; did you mean '{hint}'?");
        JobsError::Config {
            message,
            place: None,
        }
    })?;
    let records_run = |file: &SqlFile| {
        ["tables", "audits"]
            .iter()
            .any(|name| project.graph.reads_run(file, name))
    };
    let marts = project.marts();
    if !marts.iter().any(|file| selected.contains(&file.name)) {
        let message = format!(
            "--select: {} selects no published table",
            patterns.join(" ")
        );
        return Err(JobsError::Config {
            message,
            place: None,
        });
    }
    let tables = marts
        .into_iter()
        .filter(|file| selected.contains(&file.name) || records_run(file));
    Ok(tables.map(|file| file.name.clone()).collect())
}

/// The tables, all that they read, and the audits and reports that read nothing else. What `known`
/// relations read is not needed for them.
pub(super) fn needed_files(
    project: &Project,
    tables: &BTreeSet<String>,
    known: &BTreeSet<String>,
) -> BTreeSet<String> {
    let graph = &project.graph;
    let mut needed = tables.clone();
    for table in tables {
        needed.extend(graph.upstream_until(table, known));
    }
    for file in graph.files().iter().filter(|file| file.kind > Kind::Mart) {
        let upstream = graph.upstream(&file.name);
        let reads_marts =
            |name: &String| graph.get(name).is_some_and(|file| file.kind == Kind::Mart);
        if upstream
            .iter()
            .filter(|name| reads_marts(name))
            .all(|name| tables.contains(name))
        {
            needed.extend(graph.upstream_until(&file.name, known));
            needed.insert(file.name.clone());
        }
    }
    needed
}
