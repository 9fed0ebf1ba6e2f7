//! Object stores by the addresses in plans, for whoever runs plans that others have made.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store::ObjectStore;
use url::{Position, Url};

use crate::Storage;

/// Opens stores when they are first asked for.
#[derive(Debug)]
pub struct StoreRegistry {
    storage: Storage,
    /// Locations that say which options a store has.
    locations: Vec<Url>,
    opened: DefaultObjectStoreRegistry,
}

impl StoreRegistry {
    /// A registry of all stores that there are. A store with options of its own is opened as the
    /// first of `locations` says that is in it.
    pub fn new<'a>(storage: Storage, locations: impl IntoIterator<Item = &'a str>) -> Self {
        let locations = locations.into_iter().filter_map(|text| text.parse().ok());
        Self {
            storage,
            locations: locations.collect(),
            opened: DefaultObjectStoreRegistry::new(),
        }
    }
}

impl ObjectStoreRegistry for StoreRegistry {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.opened.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Ok(store) = self.opened.get_store(url) {
            return Ok(store);
        }
        let address = |url: &Url| url[..Position::BeforePath].to_owned();
        let mut locations = self.locations.iter();
        let location = locations.find(|location| address(location) == address(url));
        let store = self.storage.open(location.unwrap_or(url));
        store.map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::StorageOptions;

    #[test]
    fn stores_are_opened_when_a_plan_names_them() {
        let below = [
            ("google_skip_signature", "true"),
            ("google_base_url", "http://localhost:1"),
        ];
        let below = below.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let storage = Storage::try_new(&StorageOptions {
            general: BTreeMap::from([("google_skip_signature".to_owned(), "true".to_owned())]),
            locations: BTreeMap::from([("gs://raw/closed/".to_owned(), below.into())]),
        });
        let storage = storage.expect("options");
        let registry = StoreRegistry::new(storage, ["data/orders", "gs://raw/closed/orders"]);
        let store = |text: &str| registry.get_store(&text.parse().expect("a URL"));
        let raw = store("gs://raw/").expect("a store");
        assert!(format!("{raw:?}").contains("http://localhost:1"), "{raw:?}");
        let again = store("gs://raw/").expect("a store");
        assert!(Arc::ptr_eq(&raw, &again));
        let other = store("gs://other/").expect("a store");
        assert!(
            !format!("{other:?}").contains("http://localhost:1"),
            "{other:?}"
        );
        store("file:///").expect("the file system");
        let unknown = store("hdfs://host/").expect_err("no store");
        assert!(
            unknown.to_string().contains("no store has such URLs"),
            "{unknown}"
        );
    }
}
