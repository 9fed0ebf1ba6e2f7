//! Paths and URLs of a configuration, and the object stores behind them.

use std::collections::BTreeMap;
use std::path::{Component, Path as LocalPath};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::TableReference;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, ObjectStoreScheme};
use serde::Serialize;
use url::Url;

use crate::options::{Layers, refuse_secrets};
use crate::source::place::address;
use crate::{LakeError, Result, StorageOptions, remote};

/// How to reach object stores: the options of the configuration over those of the environment.
#[derive(Clone, Default)]
pub struct Storage {
    layers: Layers,
    /// By address; a store keeps its connections.
    stores: Arc<Mutex<BTreeMap<String, Opened>>>,
}

/// A store, and the prefix in the configuration whose options it has.
struct Opened {
    url: Url,
    prefix: Option<String>,
    store: Arc<dyn ObjectStore>,
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
    pub fn try_new(configured: &StorageOptions) -> Result<Self> {
        Ok(Self {
            layers: Layers::try_new(configured)?,
            stores: Arc::default(),
        })
    }

    /// The folder that a configuration names: a URL, or a path relative to `base`. Its store is
    /// registered with `runtime`, so that queries can read it.
    ///
    /// # Errors
    /// A text that is not the location of a folder, a store that can't be opened.
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
        refuse_folder_of_http(&url)?;
        let path = Path::from_url_path(url.path()).map_err(|error| bad(text, error))?;
        let store = self.store(&url, runtime)?;
        Ok(Location { url, store, path })
    }

    /// The files that an absolute path, a URL, or a pattern of either names.
    pub(crate) async fn files(&self, text: &str, runtime: &RuntimeEnv) -> Result<ListingTableUrl> {
        if !text.contains("://") {
            return Ok(ListingTableUrl::parse(text)?);
        }
        refuse_secrets(text)?;
        let (folder, pattern) = split_pattern(text);
        let mut url = Url::parse(folder).map_err(|error| bad(text, error))?;
        if pattern.is_some() || url.path().ends_with('/') {
            refuse_folder_of_http(&url)?;
        }
        let store = self.store(&url, runtime)?;
        let is_folder = url.path().ends_with('/');
        if !is_folder && !url.scheme().starts_with("http") {
            let path = Path::from_url_path(url.path()).map_err(|error| bad(text, error))?;
            match store.head(&path).await {
                Err(Error::NotFound { .. }) => url.set_path(&format!("{}/", url.path())),
                found => drop(found?),
            }
        }
        // files of two stores may have one path: listings are remembered by this name, too
        let files = ListingTableUrl::try_new(url, None)?.with_table_ref(TableReference::bare(text));
        Ok(match pattern {
            Some(pattern) => files.with_glob(pattern)?,
            None => files,
        })
    }

    /// Makes all stores that were opened so far known to another runtime.
    pub fn register(&self, runtime: &RuntimeEnv) {
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        for opened in stores.values() {
            runtime.register_object_store(&opened.url, Arc::clone(&opened.store));
        }
    }

    /// The store of a URL, known to `runtime`.
    fn store(&self, url: &Url, runtime: &RuntimeEnv) -> Result<Arc<dyn ObjectStore>> {
        let store = self.open(url)?;
        runtime.register_object_store(url, Arc::clone(&store));
        Ok(store)
    }

    /// The store of a URL, opened once.
    pub(crate) fn open(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let address = &url[..url::Position::BeforePath];
        refuse_unknown_scheme(url)?;
        let prefix = self.layers.prefix_of(url.as_str());
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match stores.get(address) {
            Some(opened) if opened.prefix.as_deref() == prefix => Arc::clone(&opened.store),
            Some(opened) => {
                return Err(LakeError::TwoWays {
                    address: address.to_owned(),
                    one: prefix_name(opened.prefix.as_deref()),
                    other: prefix_name(prefix),
                });
            }
            None => {
                let secrets = self.layers.secrets();
                let store = remote::open(url, &self.layers.below(prefix), secrets)?;
                let opened = Opened {
                    url: url.clone(),
                    prefix: prefix.map(str::to_owned),
                    store: Arc::clone(&store),
                };
                stores.insert(address.to_owned(), opened);
                store
            }
        };
        Ok(store)
    }
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Storage").finish_non_exhaustive()
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
        Ok(found.map(|file| address(&self.url, &file.location)))
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
        refuse_secrets(text)?;
        let mut url = Url::parse(text).map_err(|error| bad(text, error))?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        return Ok(url);
    }
    if LocalPath::new(text)
        .components()
        .any(|part| part == Component::ParentDir)
    {
        return Err(bad(
            text,
            "it leads up with '..'; write it as an absolute path",
        ));
    }
    let absolute = std::path::absolute(base.join(text)).map_err(|error| bad(text, error))?;
    Url::from_directory_path(&absolute)
        .map_err(|()| bad(text, "the path can't be written as a URL"))
}

/// The folder and the pattern of a URL whose path has wildcards.
fn split_pattern(text: &str) -> (&str, Option<&str>) {
    let Some(wildcard) = text.find(['*', '[']) else {
        return (text, None);
    };
    let folder = text[..wildcard].rfind('/').map_or(0, |slash| slash + 1);
    (&text[..folder], Some(&text[folder..]))
}

/// Refuses addresses that belong to no store, or to one that has an address of its own.
fn refuse_unknown_scheme(url: &Url) -> Result<()> {
    let reason = match ObjectStoreScheme::parse(url) {
        Ok((ObjectStoreScheme::AmazonS3, _)) if url.scheme() == "https" => {
            "write s3://<bucket>/<path>"
        }
        Ok((ObjectStoreScheme::MicrosoftAzure, _)) if url.scheme() == "https" => {
            "write az://<container>/<path> and the option azure_storage_account_name"
        }
        Ok((ObjectStoreScheme::Memory | ObjectStoreScheme::Local, _)) | Err(_) => {
            "no store has such URLs"
        }
        Ok(_) => return Ok(()),
    };
    Err(bad(url.as_str(), reason))
}

/// Web servers give files, but list no folders and take nothing.
fn refuse_folder_of_http(url: &Url) -> Result<()> {
    let is_web = matches!(
        ObjectStoreScheme::parse(url),
        Ok((ObjectStoreScheme::Http, _))
    );
    if is_web {
        return Err(LakeError::FolderOfHttp {
            location: url.to_string(),
        });
    }
    Ok(())
}

fn prefix_name(prefix: Option<&str>) -> String {
    prefix.map_or_else(
        || "[storage]".to_owned(),
        |prefix| format!("[storage.\"{prefix}\"]"),
    )
}

fn bad(location: &str, reason: impl std::fmt::Display) -> LakeError {
    LakeError::BadLocation {
        location: location.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn storage(below: &[&str]) -> Storage {
        let options = ["google_skip_signature", "aws_skip_signature"];
        let options = options.map(|key| (key.to_owned(), "true".to_owned()));
        let locations = below
            .iter()
            .map(|prefix| ((*prefix).to_owned(), BTreeMap::new()));
        Storage::try_new(&StorageOptions {
            general: options.into(),
            locations: locations.collect(),
        })
        .expect("options")
    }

    fn locate(storage: &Storage, text: &str) -> Result<Location> {
        storage.locate(text, LocalPath::new("/srv/shop"), &RuntimeEnv::default())
    }

    #[test]
    fn relative_paths_start_at_the_base() {
        let found = locate(&Storage::default(), "lake").expect("a location");
        assert_eq!(found.url().as_str(), "file:///srv/shop/lake/");
        assert_eq!(found.path().as_ref(), "srv/shop/lake");
    }

    #[test]
    fn a_bucket_of_google_is_a_location() {
        let found = locate(&storage(&[]), "gs://shop/lake").expect("a location");
        assert_eq!(found.url().as_str(), "gs://shop/lake/");
        assert_eq!(found.path().as_ref(), "lake");
        assert_eq!(found.store().to_string(), "gs://shop");
        let table = found.child("customer_ltv");
        assert_eq!(table.url().as_str(), "gs://shop/lake/customer_ltv/");
        let address = table.store_url().expect("an address");
        assert_eq!(address.as_str(), "gs://shop/");
    }

    #[test]
    fn a_store_is_opened_once_and_in_one_way() {
        let storage = storage(&["s3://raw/closed/"]);
        let one = locate(&storage, "s3://raw/orders").expect("a location");
        let other = locate(&storage, "s3://raw/refunds").expect("a location");
        assert!(Arc::ptr_eq(one.store(), other.store()));
        let third = locate(&storage, "s3://raw-two/orders").expect("a location");
        assert!(!Arc::ptr_eq(one.store(), third.store()));
        let error = locate(&storage, "s3://raw/closed/orders").expect_err("two ways");
        assert!(
            error.to_string().contains("[storage.\"s3://raw/closed/\"]"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_folder_of_a_store_is_refused_with_the_remedy() {
        let storage = storage(&[]);
        for (text, remedy) in [
            ("https://example.com/lake", "name single files"),
            ("https://s3.eu-west-2.amazonaws.com/raw/lake", "write s3://"),
            ("https://shop.blob.core.windows.net/raw/", "write az://"),
            ("memory:///lake", "no store has such URLs"),
            ("hdfs://host/lake", "no store has such URLs"),
            ("s3:///lake", "not a path or an s3://"),
        ] {
            let error = locate(&storage, text).expect_err("a wrong location");
            assert!(error.to_string().contains(remedy), "{error}");
        }
    }

    #[tokio::test]
    async fn patterns_of_urls_list_their_folder() {
        let (storage, runtime) = (storage(&[]), RuntimeEnv::default());
        for (text, url, pattern) in [
            (
                "gs://raw/orders/2024-*/*.csv",
                "gs://raw/orders/",
                "2024-*/*.csv",
            ),
            ("s3://raw/orders/[ab].csv", "s3://raw/orders/", "[ab].csv"),
            ("s3://raw/*.csv", "s3://raw/", "*.csv"),
        ] {
            let files = storage.files(text, &runtime).await.expect("files");
            assert_eq!(files.as_str(), url);
            let found = files.get_glob().as_ref().map(ToString::to_string);
            assert_eq!(found.as_deref(), Some(pattern));
        }
        for text in ["https://example.com/*.csv", "https://example.com/orders/"] {
            let error = storage.files(text, &runtime).await.expect_err("no listing");
            assert!(error.to_string().contains("name single files"), "{error}");
        }
    }
}
