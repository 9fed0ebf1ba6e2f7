//! Relations that outlive their run, so that a later one need not compute them again.
//!
//! They are in folder `_loyalake/kept` of an output: `<relation>/<run>/` holds the files that a run
//! wrote, and `<relation>/<key>.json` says which files are the relation's rows and what they rest
//! on. All of it may be deleted at any time: what is not there is computed.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::datatypes::SchemaRef;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use crate::control;
use crate::lease::claimed_runs;
use crate::staging::{self, Staged};
use crate::{DataFile, LakeError, Location, Result};

/// What a file name ends with that says what was kept.
const NOTE: &str = ".json";

/// How many files are looked for together.
const LOOKED_FOR_AT_ONCE: usize = 16;

/// Rows of a relation that a run computed together.
#[derive(Debug, Clone)]
pub struct Part {
    /// The run.
    pub run_id: String,
    /// The files of a source that the rows are from, by their versions; none where they are from
    /// all that the relation reads.
    pub sources: BTreeSet<String>,
    /// Their files.
    pub files: Vec<DataFile>,
}

/// What a note says of a relation.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    basis: BTreeMap<String, String>,
    parts: Vec<NotedPart>,
}

#[derive(Debug, Serialize, Deserialize)]
struct NotedPart {
    run_id: String,
    sources: BTreeSet<String>,
    files: Vec<NotedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct NotedFile {
    name: String,
    size: u64,
    rows: Option<usize>,
}

/// Where a run puts the files of a relation that is to be kept.
pub fn folder(output: &Location, relation: &str, run_id: &str) -> Location {
    notes(output, relation).child(run_id)
}

/// The parts of a relation that were kept under `key` and of which all files are there.
///
/// # Errors
/// What the store says.
pub async fn find(output: &Location, relation: &str, key: &str) -> Result<Vec<Part>> {
    let Some(note) = read(output, relation, &format!("{key}{NOTE}")).await? else {
        return Ok(Vec::new());
    };
    let parts = note.parts.into_iter();
    stream::iter(parts.map(|part| found(output, relation, part)))
        .buffered(LOOKED_FOR_AT_ONCE)
        .try_filter_map(async |part| Ok(part))
        .try_collect()
        .await
}

/// The part, if all of its files are there.
async fn found(output: &Location, relation: &str, noted: NotedPart) -> Result<Option<Part>> {
    let location = folder(output, relation, &noted.run_id);
    let mut files = Vec::new();
    for file in &noted.files {
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
    Ok(Some(Part {
        run_id: noted.run_id,
        sources: noted.sources,
        files,
    }))
}

/// The rows of all parts of a relation with the columns `schema`.
pub fn rows_of(output: &Location, relation: &str, parts: &[Part], schema: SchemaRef) -> Staged {
    Staged {
        location: notes(output, relation),
        schema,
        files: parts.iter().flat_map(|part| part.files.clone()).collect(),
        divided_by: None,
    }
}

/// What all that was kept of a relation rests on, with its sources, whether it is there or not.
///
/// # Errors
/// What the store says.
pub async fn bases(
    output: &Location,
    relation: &str,
) -> Result<Vec<(BTreeMap<String, String>, BTreeSet<String>)>> {
    let names = control::list(&notes(output, relation)).await?;
    let names = names.iter().filter(|name| name.ends_with(NOTE));
    let found = try_join_all(names.map(|name| read(output, relation, name))).await?;
    let known = found.into_iter().flatten().map(|note| {
        let sources = note.parts.into_iter().flat_map(|part| part.sources);
        (note.basis, sources.collect())
    });
    Ok(known.collect())
}

/// Says that `parts` are the rows of a relation whenever `basis` is what `key` stands for.
///
/// # Errors
/// What the store says.
pub async fn keep(
    output: &Location,
    relation: &str,
    key: &str,
    basis: &BTreeMap<String, String>,
    parts: &[Part],
) -> Result<()> {
    let file = |file: &DataFile| NotedFile {
        name: file.meta.location.filename().unwrap_or_default().to_owned(),
        size: file.meta.size,
        rows: file.rows,
    };
    let part = |part: &Part| NotedPart {
        run_id: part.run_id.clone(),
        sources: part.sources.clone(),
        files: part.files.iter().map(file).collect(),
    };
    let note = Note {
        basis: basis.clone(),
        parts: parts.iter().map(part).collect(),
    };
    let (folder, name) = (notes(output, relation), format!("{key}{NOTE}"));
    // there may be one already, of parts that are replaced by these
    control::remove(&folder, &name).await?;
    control::create(&folder, &name, &note).await?;
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
    let note = read(output, relation, &wanted).await?;
    let mut referred: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in note.into_iter().flat_map(|note| note.parts) {
        let names = part.files.into_iter().map(|file| file.name);
        referred.entry(part.run_id).or_default().extend(names);
    }
    for run in subfolders(&folder).await? {
        let place = folder.child(&run);
        let Some(names) = referred.get(&run) else {
            staging::remove(&place).await?;
            continue;
        };
        for name in control::list(&place).await? {
            if !names.contains(&name) {
                control::remove(&place, &name).await?;
            }
        }
    }
    Ok(())
}

/// Removes what was kept of all relations but these; nothing while another run is at work.
///
/// # Errors
/// What the store says.
pub async fn forget_others(
    output: &Location,
    relations: &BTreeSet<&str>,
    run_id: &str,
) -> Result<()> {
    if claimed_runs(output).await?.iter().any(|run| run != run_id) {
        return Ok(());
    }
    for relation in subfolders(&root(output)).await? {
        if !relations.contains(relation.as_str()) {
            staging::remove(&notes(output, &relation)).await?;
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

async fn read(output: &Location, relation: &str, name: &str) -> Result<Option<Note>> {
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
