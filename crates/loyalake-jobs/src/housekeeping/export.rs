//! Published tables as plain Parquet files, for those who do not read Delta.

use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use loyalake_lake::delta::DeltaVersion;
use loyalake_lake::{Location, staging};
use serde::Serialize;

use super::{PublishedLake, by_date, file_count, now};
use crate::config::nearest;
use crate::ledger::LedgerRow;
use crate::project::Project;
use crate::{JobsError, Result};

/// The file that says what an export holds; it is written last.
const MANIFEST: &str = "manifest.json";

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// A folder, relative to the working directory, or a URL; nothing may be there.
    pub to: String,
    /// The date; none: the newest.
    pub as_of_date: Option<NaiveDate>,
    /// Names of tables; none: all.
    pub tables: Vec<String>,
}

/// What an export holds.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The run whose tables these are.
    pub run_id: String,
    /// The date that they describe.
    pub as_of_date: NaiveDate,
    /// When they were exported.
    pub exported_at: DateTime<Utc>,
    /// Format of the files.
    pub format: &'static str,
    /// The tables, by name.
    pub tables: Vec<ExportedTable>,
}

/// A table of an export.
#[derive(Debug, Clone, Serialize)]
pub struct ExportedTable {
    /// Its name.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Size of its files.
    pub bytes: u64,
    /// The files, relative to the manifest.
    pub files: Vec<String>,
}

/// Writes the tables of a run as `<to>/<table>/….parquet`, and a manifest when all are there.
///
/// # Errors
/// A folder where something is, a date or table that is not published, and what the stores say.
pub async fn export(project: &Project, options: &ExportOptions) -> Result<Manifest> {
    let lake = PublishedLake::open(project)?;
    let ledger = lake.ledger().await?;
    let run = match options.as_of_date {
        Some(date) => ledger.of_date(date).ok_or_else(|| {
            let dates = ledger.rows().iter().map(|row| row.as_of_date);
            let distance = |other: &NaiveDate| (*other - date).num_days().abs();
            let nearest = dates.min_by_key(distance).unwrap_or(date);
            JobsError::NotPublished { date, nearest }
        }),
        None => ledger.newest().ok_or_else(|| lake.nothing_published()),
    }?;
    let names = selected(&lake, run, &options.tables)?;
    let runtime = lake.context.runtime_env();
    let to = without_parents(&options.to);
    let target = lake.storage.locate(&to, Path::new("."), &runtime)?;
    if target
        .url()
        .as_str()
        .starts_with(lake.output.url().as_str())
    {
        let message = format!(
            "--to: '{}' is inside the lake {}, where `loyalake maintain` deletes what no table \
             names; name a folder beside it",
            options.to,
            lake.output.url()
        );
        return Err(JobsError::Config {
            message,
            place: None,
        });
    }
    if let Some(found) = target.any_file().await? {
        let location = target.url().to_string();
        return Err(JobsError::Occupied { location, found });
    }
    let mut tables = Vec::new();
    for name in names {
        tables.extend(export_table(&lake, run, &name, &target).await?);
    }
    let manifest = Manifest {
        run_id: run.run_id.clone(),
        as_of_date: run.as_of_date,
        exported_at: now(),
        format: "parquet",
        tables,
    };
    target.write_json(MANIFEST, &manifest).await?;
    Ok(manifest)
}

/// A path whose `..` are gone: stores know no such names.
fn without_parents(text: &str) -> String {
    let path = Path::new(text);
    let has_parents = path.components().any(|part| part == Component::ParentDir);
    let absolute = std::path::absolute(path);
    let (false, true, Ok(absolute)) = (text.contains("://"), has_parents, absolute) else {
        return text.to_owned();
    };
    let mut without = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => drop(without.pop()),
            part => without.push(part),
        }
    }
    without.to_string_lossy().into_owned()
}

/// The tables of a run and the ledger, or those of them that are asked for.
fn selected(lake: &PublishedLake<'_>, run: &LedgerRow, asked: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = run.versions.keys().cloned().collect();
    names.push(lake.ledger_name.clone());
    names.sort();
    names.dedup();
    if let Some(unknown) = asked.iter().find(|name| !names.contains(name)) {
        let nearest = nearest(unknown, names.iter().map(String::as_str)).unwrap_or_default();
        let message = format!("--table: '{unknown}' is not published; did you mean '{nearest}'?");
        return Err(JobsError::Config {
            message,
            place: None,
        });
    }
    names.retain(|name| asked.is_empty() || asked.contains(name));
    Ok(names)
}

async fn export_table(
    lake: &PublishedLake<'_>,
    run: &LedgerRow,
    name: &str,
    target: &Location,
) -> Result<Option<ExportedTable>> {
    let version = run.versions.get(name).copied();
    let Some(found) = DeltaVersion::open(&lake.output.child(name), version).await? else {
        return Ok(None);
    };
    let date = run.as_of_date.to_string();
    let files = by_date(found.files()?).remove(&date).unwrap_or_default();
    let parts = file_count(&files);
    let rows = lake.rows(name, found.table_of(files)?, None)?;
    let (schema, folder) = (rows.schema().inner().clone(), target.child(name));
    let mut staged = lake.write(name, rows, parts, &folder).await?;
    if staged.files.is_empty() {
        // readers want to know the columns of an empty table, too
        staged = staging::write_empty(&folder, &schema).await?;
    }
    let paths = staged.files.iter().map(|file| &file.meta.location);
    let paths = paths.filter_map(|path| Some(format!("{name}/{}", path.filename()?)));
    Ok(Some(ExportedTable {
        name: name.to_owned(),
        rows: staged.rows(),
        bytes: staged.bytes(),
        files: paths.collect(),
    }))
}
