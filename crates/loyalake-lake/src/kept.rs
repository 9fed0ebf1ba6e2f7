//! Relations that outlive their run, so that a later one need not compute them again.
//!
//! They are in folder `_loyalake/kept` of an output: `<relation>/<run>/` holds the files that a run
//! wrote, and `<relation>/<key>.json` says which files are the relation's rows and what they rest
//! on. All of it may be deleted at any time: what is not there is computed.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::SchemaRef;
use futures::future::try_join_all;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use crate::control;
use crate::lease::claimed_runs;
use crate::staging::{self, Staged};
use crate::{DataFile, LakeError, Location, Result};

/// What a file name ends with that says what was kept.
const NOTE: &str = ".json";

/// What is known of a relation that was kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The run that computed it.
    pub run_id: String,
    /// What its rows rest on: names, and what changes with what they name.
    pub basis: BTreeMap<String, String>,
    files: Vec<KeptFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptFile {
    name: String,
    size: u64,
    rows: Option<usize>,
}

/// Where a run puts the files of a relation that is to be kept.
pub fn folder(output: &Location, relation: &str, run_id: &str) -> Location {
    notes(output, relation).child(run_id)
}

/// What was kept of a relation under `key`, if all of its files are there. `schema` are its
/// columns.
///
/// # Errors
/// What the store says.
pub async fn find(
    output: &Location,
    relation: &str,
    key: &str,
    schema: SchemaRef,
) -> Result<Option<(Kept, Staged)>> {
    let Some(kept) = read(output, relation, &format!("{key}{NOTE}")).await? else {
        return Ok(None);
    };
    let location = folder(output, relation, &kept.run_id);
    let mut files = Vec::new();
    for file in &kept.files {
        let found = control::head(&location, &file.name).await?;
        let Some(meta) = found.filter(|meta| meta.size == file.size) else {
            return Ok(None);
        };
        files.push(DataFile {
            meta,
            rows: file.rows,
            partition_values: Vec::new(),
        });
    }
    let staged = Staged {
        location,
        schema,
        files,
    };
    Ok(Some((kept, staged)))
}

/// Everything that was kept of a relation.
///
/// # Errors
/// What the store says.
pub async fn all(output: &Location, relation: &str) -> Result<Vec<Kept>> {
    let names = control::list(&notes(output, relation)).await?;
    let names = names.iter().filter(|name| name.ends_with(NOTE));
    let found = try_join_all(names.map(|name| read(output, relation, name))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Says that the files of a relation are its rows whenever `basis` is what `key` stands for.
///
/// # Errors
/// What the store says.
pub async fn keep(
    output: &Location,
    relation: &str,
    key: &str,
    run_id: &str,
    basis: &BTreeMap<String, String>,
    staged: &Staged,
) -> Result<()> {
    let file = |file: &DataFile| KeptFile {
        name: file.meta.location.filename().unwrap_or_default().to_owned(),
        size: file.meta.size,
        rows: file.rows,
    };
    let kept = Kept {
        run_id: run_id.to_owned(),
        basis: basis.clone(),
        files: staged.files.iter().map(file).collect(),
    };
    let (folder, name) = (notes(output, relation), format!("{key}{NOTE}"));
    // with --full-refresh there may be one already: its files are replaced by these
    control::remove(&folder, &name).await?;
    control::create(&folder, &name, &kept).await?;
    Ok(())
}

/// Removes what was kept of a relation under other keys, and files that nothing refers to; nothing
/// while another run is at work, which may be reading them.
///
/// # Errors
/// What the store says.
pub async fn prune(output: &Location, relation: &str, key: &str, run_id: &str) -> Result<()> {
    if claimed_runs(output).await?.iter().any(|run| run != run_id) {
        return Ok(());
    }
    let folder = notes(output, relation);
    let wanted = format!("{key}{NOTE}");
    for name in control::list(&folder).await? {
        if name != wanted {
            control::remove(&folder, &name).await?;
        }
    }
    let kept = read(output, relation, &wanted).await?;
    for run in subfolders(&folder).await? {
        if kept.as_ref().is_none_or(|kept| kept.run_id != run) {
            staging::remove(&folder.child(&run)).await?;
        }
    }
    Ok(())
}

/// Removes everything that was kept.
///
/// # Errors
/// What the store says.
pub async fn remove_all(output: &Location) -> Result<()> {
    staging::remove(&root(output)).await
}

async fn read(output: &Location, relation: &str, name: &str) -> Result<Option<Kept>> {
    match control::read(&notes(output, relation), name).await {
        // of another version, or damaged: computing it again mends that
        Err(LakeError::Control { .. }) => Ok(None),
        read => read,
    }
}

async fn subfolders(folder: &Location) -> Result<BTreeSet<String>> {
    let listed = folder
        .store()
        .list_with_delimiter(Some(folder.path()))
        .await?;
    let names = listed.common_prefixes.iter();
    Ok(names
        .filter_map(|path| path.filename().map(str::to_owned))
        .collect())
}

fn root(output: &Location) -> Location {
    control::folder(output, "kept")
}

fn notes(output: &Location, relation: &str) -> Location {
    root(output).child(relation)
}
