//! All SQL files of a project: ours, compiled in, and the user's in their place or beside them.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use loyalake_lake::source::stay_inside;
use serde_json::json;

use crate::config::nearest;
use crate::fingerprint::digest;
use crate::sql_file::{Kind, SqlFile};
use crate::{Config, JobsError, Result};

static OURS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sql");

/// The defaults of all parameters.
pub(crate) fn parameter_defaults() -> &'static str {
    OURS.get_file("parameters.toml")
        .and_then(|file| file.contents_utf8())
        .unwrap_or_default()
}

/// The SQL files by kind and name.
#[derive(Debug, Clone)]
pub(crate) struct Library(BTreeMap<(Kind, String), SqlFile>);

impl Library {
    /// Reads our files, then the overrides that the configuration names.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let mut files = BTreeMap::new();
        for kind in Kind::ALL {
            for entry in OURS.get_dir(kind.folder()).into_iter().flat_map(Dir::files) {
                let path = format!("sql/{}", entry.path().display());
                let text = entry.contents_utf8().unwrap_or_default();
                let file = SqlFile::parse(kind, &path, false, text)?;
                files.insert((kind, file.name.clone()), file);
            }
        }
        if let Some(folder) = &config.sql.overrides {
            if !config.sql.allow_outside && folder.is_relative() {
                stay_inside(&config.folder().join(folder), config.folder())?;
            }
            let folder = config.folder().join(folder);
            for mut file in overrides(&folder, config)? {
                let place = (file.kind, file.name.clone());
                if let Some(ours) = files.get(&place) {
                    file.keep_like(ours);
                }
                files.insert(place, file);
            }
        }
        let library = Self(files);
        library.refuse_equal_names()?;
        Ok(library)
    }

    /// The files of a kind, by name.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &SqlFile> {
        self.0.values().filter(move |file| file.kind == kind)
    }

    /// All files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &SqlFile> {
        self.0.values()
    }

    /// A value that changes when any file is added, removed or edited.
    pub(crate) fn fingerprint(&self) -> String {
        let files = self.files();
        let texts = files.map(|file| (file.kind.folder(), &file.name, file.text.as_ref()));
        digest(&json!(texts.collect::<Vec<_>>()))
    }

    /// Staging, intermediate and marts share one namespace.
    fn refuse_equal_names(&self) -> Result<()> {
        let mut seen = BTreeMap::new();
        for file in self
            .files()
            .filter(|file| !file.kind.is_contract() && file.kind != Kind::Audit)
        {
            if let Some(other) = seen.insert(&file.name, &file.path) {
                let message = format!(
                    "'{}' is also the name of {other}; rename one of them",
                    file.name
                );
                return Err(file.error(message, ""));
            }
        }
        Ok(())
    }
}

/// The user's files, from the sub-folders that have a meaning.
fn overrides(folder: &Path, config: &Config) -> Result<Vec<SqlFile>> {
    let read = |path: &Path| {
        std::fs::read_dir(path).map_err(|source| JobsError::Read {
            path: path.to_owned(),
            source,
        })
    };
    if !folder.is_dir() {
        let message = format!(
            "sql.overrides: folder '{}' does not exist; create it or remove the key",
            folder.display()
        );
        return Err(config.error(&message, "overrides"));
    }
    let mut files = Vec::new();
    for entry in read(folder)?.flatten().map(|entry| entry.path()) {
        let name = entry
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') || (entry.is_file() && !is_sql(&entry)) {
            continue;
        }
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.folder() == name) else {
            let hint = nearest(&name, Kind::ALL.map(Kind::folder)).unwrap_or_default();
            let message = format!(
                "sql.overrides: '{}' is in none of the folders sources, staging, intermediate, \
                marts, \
                 audits; did you mean '{hint}'?",
                entry.display()
            );
            return Err(config.error(&message, "overrides"));
        };
        for path in read(&entry)?.flatten().map(|entry| entry.path()) {
            if is_sql(&path) {
                if !config.sql.allow_outside {
                    stay_inside(&path, folder)?;
                }
                let text = std::fs::read_to_string(&path).map_err(|source| JobsError::Read {
                    path: path.clone(),
                    source,
                })?;
                files.push(SqlFile::parse(
                    kind,
                    &path.display().to_string(),
                    true,
                    &text,
                )?);
            }
        }
    }
    Ok(files)
}

fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sql")
}
