//! Paths and URLs of a configuration, and the object stores behind them.

use std::collections::BTreeMap;
use std::path::Path as LocalPath;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::TryStreamExt;
use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::Serialize;
use url::Url;

use crate::{LakeError, Result};

/// Prefixes of the environment variables that object stores understand.
const VARIABLE_PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Parts of option names that hold secrets: those come from the environment only.
const SECRET_PARTS: [&str; 7] = [
    "secret",
    "token",
    "password",
    "credential",
    "sas_key",
    "account_key",
    "service_account_key",
];

/// How to reach object stores: the options of the configuration over those of the environment.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    options: BTreeMap<String, String>,
}

/// A folder in an object store.
#[derive(Debug, Clone)]
pub struct Location {
    url: Url,
    store: Arc<dyn ObjectStore>,
    path: Path,
}

impl Storage {
    /// Checks the `[storage]` options and adds what the environment says.
    ///
    /// # Errors
    /// An option that is a secret, or that no store knows.
    pub fn try_new(configured: &BTreeMap<String, String>) -> Result<Self> {
        let mut options: BTreeMap<String, String> = std::env::vars()
            .filter(|(name, _)| {
                VARIABLE_PREFIXES
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            })
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        for (key, value) in configured {
            check_option(key)?;
            options.insert(key.to_lowercase(), value.clone());
        }
        Ok(Self { options })
    }

    /// The folder that a configuration names: a URL, or a path relative to `base`. Its store is
    /// registered with `runtime`, so that queries can read it.
    ///
    /// # Errors
    /// A text that is not a location.
    pub fn locate(&self, text: &str, base: &LocalPath, runtime: &RuntimeEnv) -> Result<Location> {
        let url = to_url(text, base)?;
        if url.scheme() == "file" {
            let path = Path::from_url_path(url.path()).map_err(|error| bad(text, error))?;
            return Ok(Location {
                url,
                store: Arc::new(LocalFileSystem::new()),
                path,
            });
        }
        let (store, path) =
            object_store::parse_url_opts(&url, &self.options).map_err(|error| bad(text, error))?;
        let store: Arc<dyn ObjectStore> = Arc::from(store);
        runtime.register_object_store(&url, Arc::clone(&store));
        Ok(Location { url, store, path })
    }
}

impl Location {
    /// The URL, with a slash at its end.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The store that holds it.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Its path inside the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's address, as queries name it.
    ///
    /// # Errors
    /// A URL that `DataFusion` can't address.
    pub fn store_url(&self) -> Result<ObjectStoreUrl> {
        Ok(ObjectStoreUrl::parse(
            &self.url[..url::Position::BeforePath],
        )?)
    }

    /// Any file below this folder, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn any_file(&self) -> Result<Option<String>> {
        let found = self.store.list(Some(&self.path)).try_next().await?;
        Ok(found.map(|file| file.location.to_string()))
    }

    /// Writes a JSON file into this folder; readers see what was there before, or all of it.
    ///
    /// # Errors
    /// What the store says.
    pub async fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.clone().join(name);
        let text = serde_json::to_vec_pretty(value).map_err(|source| LakeError::Control {
            file: path.to_string(),
            source,
        })?;
        self.store.put(&path, text.into()).await?;
        Ok(())
    }

    /// The folder `name` below this one, or `name/of/one` further below.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{name}/", self.url.path()));
        Self {
            url,
            store: Arc::clone(&self.store),
            path: name.split('/').fold(self.path.clone(), Path::join),
        }
    }
}

/// The absolute URL of a folder, ending in a slash.
fn to_url(text: &str, base: &LocalPath) -> Result<Url> {
    if text.contains("://") {
        let mut url = Url::parse(text).map_err(|error| bad(text, error))?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        return Ok(url);
    }
    let absolute = std::path::absolute(base.join(text)).map_err(|error| bad(text, error))?;
    Url::from_directory_path(&absolute)
        .map_err(|()| bad(text, "the path can't be written as a URL"))
}

fn bad(location: &str, reason: impl std::fmt::Display) -> LakeError {
    LakeError::BadLocation {
        location: location.to_owned(),
        reason: reason.to_string(),
    }
}

/// Refuses secrets and unknown names, which the stores would ignore without a word.
fn check_option(key: &str) -> Result<()> {
    let lower = key.to_lowercase();
    if SECRET_PARTS.iter().any(|part| lower.contains(part)) || lower.ends_with("access_key_id") {
        return Err(LakeError::Secret {
            key: key.to_owned(),
            variable: key.to_uppercase(),
        });
    }
    let is_known = AmazonS3ConfigKey::from_str(&lower).is_ok()
        || GoogleConfigKey::from_str(&lower).is_ok()
        || AzureConfigKey::from_str(&lower).is_ok();
    if is_known {
        return Ok(());
    }
    let known = [
        "aws_region",
        "aws_endpoint",
        "aws_allow_http",
        "azure_storage_account_name",
        "azure_storage_endpoint",
        "google_bucket",
    ];
    let nearest = known
        .into_iter()
        .max_by(|one, two| {
            strsim::jaro_winkler(one, &lower).total_cmp(&strsim::jaro_winkler(two, &lower))
        })
        .unwrap_or_default();
    Err(LakeError::UnknownOption {
        key: key.to_owned(),
        nearest: nearest.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_unknown_options_are_refused() {
        assert!(matches!(
            check_option("aws_secret_access_key"),
            Err(LakeError::Secret { .. })
        ));
        assert!(matches!(
            check_option("aws_access_key_id"),
            Err(LakeError::Secret { .. })
        ));
        assert!(matches!(
            check_option("aws_regoin"),
            Err(LakeError::UnknownOption { .. })
        ));
        assert!(check_option("aws_region").is_ok());
    }

    #[test]
    fn relative_paths_start_at_the_base() {
        let url = to_url("lake", LocalPath::new("/srv/shop"));
        assert_eq!(
            url.ok().as_ref().map(Url::as_str),
            Some("file:///srv/shop/lake/")
        );
    }
}
