//! Where a source is: its files, as they are listed once when a run begins.

use std::collections::BTreeMap;
use std::path::{Component, Path as LocalPath, PathBuf};
use std::sync::Arc;

use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use super::counted::Reading;
use super::{CHECKS_AT_ONCE, Format, Wanted};
use crate::{BadFile, LakeError, Result, Storage};

/// What a null value is called in the name of a Hive folder.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The location of a source that is made of files.
#[derive(Debug, Clone)]
pub(super) struct Place {
    url: ListingTableUrl,
    endings: &'static [&'static str],
    /// Whether the location is a pattern that names an ending itself.
    names_ending: bool,
    pub(super) format: Format,
    pub(super) reading: Reading,
}

/// What a listing found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files of the source, by path.
    pub(super) files: Vec<ObjectMeta>,
    /// Files with another ending, which are not read.
    pub(super) others: Vec<Path>,
}

impl Place {
    /// Resolves a location: a file, a folder, a pattern or a URL.
    pub(super) async fn open(
        storage: &Storage,
        wanted: &Wanted<'_>,
        runtime: &RuntimeEnv,
    ) -> Result<Self> {
        let url = storage.files(&absolute(wanted)?, runtime).await?;
        let pattern = url.get_glob().as_ref().map(ToString::to_string);
        Ok(Self {
            endings: wanted.format.endings(),
            names_ending: pattern.is_some_and(|pattern| !pattern.ends_with('*')),
            format: wanted.format,
            reading: Reading::new(runtime.object_store(&url)?, url.get_url()),
            url,
        })
    }

    pub(super) fn url(&self) -> &Url {
        self.url.get_url()
    }

    /// The store's address, as queries name it.
    pub(super) fn store_url(&self) -> ObjectStoreUrl {
        self.url.object_store()
    }

    /// The address of a file of this store.
    pub(super) fn address(&self, path: &Path) -> String {
        address(self.url.get_url(), path)
    }

    /// The part of a file's path that the location does not say.
    pub(super) fn short_name(&self, path: &Path) -> String {
        let below: Vec<&str> = self.url.strip_prefix(path).into_iter().flatten().collect();
        match below.as_slice() {
            [] => path.filename().unwrap_or_default().to_owned(),
            below => below.join("/"),
        }
    }

    /// The files that are there now.
    pub(super) async fn list(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        if !self.url.is_collection() {
            match self.reading.store.head(self.url.prefix()).await {
                Ok(file) => {
                    listing.files.push(file);
                    return Ok(listing);
                }
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut found = self.reading.store.list(Some(self.url.prefix()));
        while let Some(file) = found.try_next().await? {
            let Some(below) = self.url.strip_prefix(&file.location) else {
                continue;
            };
            let below: Vec<&str> = below.collect();
            if below.contains(&"_delta_log") {
                let table = self.address(self.url.prefix());
                return Err(LakeError::IsDelta { location: table });
            }
            if is_hidden(&below) || !self.url.contains(&file.location, false) {
                continue;
            }
            let name = file.location.as_ref().to_lowercase();
            if self.names_ending || self.endings.iter().any(|ending| name.ends_with(ending)) {
                listing.files.push(file);
            } else {
                listing.others.push(file.location);
            }
        }
        listing
            .files
            .sort_by(|one, two| one.location.cmp(&two.location));
        listing.others.sort();
        Ok(listing)
    }

    /// The location without files of its format.
    pub(super) fn no_files(&self, others: &[Path]) -> LakeError {
        let such_as = |first: &Path| format!(", but others such as '{}'", self.address(first));
        LakeError::NoFiles {
            location: self.address(self.url.prefix()),
            format: self.format.name().to_owned(),
            others: others.first().map(such_as).unwrap_or_default(),
        }
    }

    /// The columns that a file's folders spell out, as in `year=2024/month=01/`.
    pub(super) fn folder_values(&self, file: &Path) -> Vec<(String, Option<String>)> {
        let below = self.url.strip_prefix(file).into_iter().flatten();
        let mut folders: Vec<&str> = below.collect();
        folders.pop();
        let pairs = folders.iter().filter_map(|folder| folder.split_once('='));
        pairs
            .map(|(name, value)| {
                let value = (value != HIVE_NULL).then(|| value.to_owned());
                (name.to_owned(), value)
            })
            .collect()
    }

    /// The names of the folder columns, and files whose folders have other ones.
    pub(super) fn folder_columns(&self, files: &[ObjectMeta]) -> (Vec<String>, Vec<BadFile>) {
        let names = |file: &ObjectMeta| -> Vec<String> {
            let values = self.folder_values(&file.location);
            values.into_iter().map(|(name, _)| name).collect()
        };
        let Some(first) = files.first() else {
            return (Vec::new(), Vec::new());
        };
        let expected = names(first);
        let differing = files.iter().filter(|file| names(file) != expected);
        let bad = differing.map(|file| BadFile {
            location: self.address(&file.location),
            problem: format!(
                "lies in folders with the columns ({}), but '{}' in some with ({})",
                names(file).join(", "),
                self.address(&first.location),
                expected.join(", ")
            ),
            remedy: "move it".to_owned(),
        });
        let bad = bad.collect();
        (expected, bad)
    }

    /// Refuses files of a local folder that links lead out of.
    pub(super) fn refuse_links(&self, files: &[ObjectMeta]) -> Result<()> {
        if self.url.scheme() != "file" || !self.url.is_collection() {
            return Ok(());
        }
        let Some(folder) = canonical(&local(self.url.prefix())) else {
            return Ok(());
        };
        let leads_out = |file: &ObjectMeta| {
            let target = canonical(&local(&file.location))?;
            (!target.starts_with(&folder)).then_some(target)
        };
        match files.iter().find_map(|file| Some((file, leads_out(file)?))) {
            None => Ok(()),
            Some((file, target)) => Err(LakeError::Outside {
                location: self.address(&file.location),
                folder: folder.display().to_string(),
                target: target.display().to_string(),
            }),
        }
    }

    /// Links of a local folder that lead nowhere: a listing passes over them.
    pub(super) fn dangling_links(&self) -> Vec<BadFile> {
        let mut bad = Vec::new();
        let mut folders = vec![local(self.url.prefix())];
        while let Some(folder) = folders.pop().filter(|_| self.url.scheme() == "file") {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| !is_hidden(&[&entry.file_name().to_string_lossy()]))
            {
                let path = entry.path();
                let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                if is_link && !path.exists() {
                    bad.push(BadFile {
                        location: path.display().to_string(),
                        problem: "is a link to nothing".to_owned(),
                        remedy: "restore what it leads to, or remove it".to_owned(),
                    });
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                }
            }
        }
        bad
    }

    /// Refuses to go on when a file is not what it was when it was listed. Files that came later
    /// are none of the run's.
    pub(super) async fn refuse_changes(&self, files: &[ObjectMeta]) -> Result<()> {
        let now: BTreeMap<Path, ObjectMeta> = self
            .list()
            .await?
            .files
            .into_iter()
            .map(|file| (file.location.clone(), file))
            .collect();
        for file in files {
            let change = match now.get(&file.location) {
                None => "removed",
                Some(found) if found != file => "replaced",
                Some(_) => continue,
            };
            return Err(LakeError::SourceChanged {
                location: self.address(&file.location),
                change,
            });
        }
        Ok(())
    }
}

/// The first of `files` that is not there.
pub(super) async fn first_missing(
    store: &Arc<dyn ObjectStore>,
    files: &[ObjectMeta],
) -> Result<Option<Path>> {
    let missing = stream::iter(files)
        .map(async |file| match store.head(&file.location).await {
            Ok(_) => Ok(None),
            Err(StoreError::NotFound { .. }) => Ok(Some(file.location.clone())),
            Err(error) => Err(LakeError::from(error)),
        })
        .buffered(CHECKS_AT_ONCE)
        .try_filter_map(async |found| Ok(found));
    let mut missing = std::pin::pin!(missing);
    missing.try_next().await
}

/// The address of a file in the store of `url`, as people write it.
pub(crate) fn address(url: &Url, path: &Path) -> String {
    if url.scheme() == "file" {
        return format!("/{path}");
    }
    format!("{}/{path}", &url[..url::Position::BeforePath])
}

/// Files that writers keep for themselves: Spark's `_temporary`, markers, editors' copies.
fn is_hidden(below: &[&str]) -> bool {
    below
        .iter()
        .any(|part| part.starts_with('.') || (part.starts_with('_') && !part.contains('=')))
}

/// The location as `DataFusion` reads it: a URL, or an absolute path that exists.
pub(super) fn absolute(wanted: &Wanted<'_>) -> Result<String> {
    let location = wanted.location;
    let of_url = location
        .starts_with("file://")
        .then(|| Url::parse(location));
    if let Some(path) = of_url.and_then(|url| url.ok()?.to_file_path().ok()) {
        let location = path.to_string_lossy();
        return absolute(&Wanted {
            location: &location,
            ..*wanted
        });
    }
    if location.contains("://") {
        return Ok(location.to_owned());
    }
    let path = std::path::absolute(wanted.base.join(location)).map_err(|error| {
        LakeError::BadLocation {
            location: location.to_owned(),
            reason: error.to_string(),
        }
    })?;
    let path = without_dots(&path);
    let mut text = path.to_string_lossy().into_owned();
    let fixed = fixed_part(&path);
    if fixed == path && !path.exists() {
        return Err(LakeError::Missing { location: text });
    }
    if !wanted.allow_outside && LocalPath::new(location).is_relative() {
        stay_inside(&fixed, wanted.base)?;
    }
    if location.ends_with('/') || path.is_dir() {
        text.push('/');
    }
    Ok(text)
}

/// Refuses a path that leads out of a folder, by `..` or by a link.
///
/// # Errors
/// [`LakeError::Outside`]
pub fn stay_inside(path: &LocalPath, folder: &LocalPath) -> Result<()> {
    let (Some(target), Some(root)) = (canonical(path), canonical(folder)) else {
        return Ok(());
    };
    if target.starts_with(&root) {
        return Ok(());
    }
    Err(LakeError::Outside {
        location: path.display().to_string(),
        folder: root.display().to_string(),
        target: target.display().to_string(),
    })
}

/// The path with every link followed, of as much of it as exists.
fn canonical(path: &LocalPath) -> Option<PathBuf> {
    let mut ancestors = path.ancestors();
    ancestors.find_map(|ancestor| ancestor.canonicalize().ok())
}

fn local(path: &Path) -> PathBuf {
    PathBuf::from(format!("/{path}"))
}

/// The path with `..` taken literally, as URLs do.
fn without_dots(path: &LocalPath) -> PathBuf {
    let mut kept = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            kept.pop();
        } else {
            kept.push(part);
        }
    }
    kept
}

/// The path up to the first part that is a pattern.
fn fixed_part(path: &LocalPath) -> PathBuf {
    let is_fixed = |part: &Component<'_>| {
        let text = part.as_os_str().to_string_lossy();
        !text.contains(['*', '?', '['])
    };
    path.components().take_while(is_fixed).collect()
}
