//! Small JSON files in the folder `_loyalake` of an output, which is ours alone.

use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};
use serde::{Deserialize, Serialize};

use crate::{LakeError, Location, Result};

/// The folder's name; readers of the lake skip names that begin so.
const CONTROL: &str = "_loyalake";

/// A folder of control files.
pub(crate) fn folder(output: &Location, name: &str) -> Location {
    output.child(CONTROL).child(name)
}

/// What the store knows of a file; None where it is not.
pub(crate) async fn head(folder: &Location, name: &str) -> Result<Option<ObjectMeta>> {
    let path = folder.path().clone().join(name);
    match folder.store().head(&path).await {
        Ok(meta) => Ok(Some(meta)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a file says; None where it is not.
pub(crate) async fn read<T>(folder: &Location, name: &str) -> Result<Option<T>>
where
    T: for<'a> Deserialize<'a>,
{
    let path = folder.path().clone().join(name);
    let found = match folder.store().get(&path).await {
        Ok(found) => found.bytes().await?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let value = serde_json::from_slice(&found).map_err(|source| LakeError::Control {
        file: path.to_string(),
        source,
    })?;
    Ok(Some(value))
}

/// Writes a file that must not be there; false if somebody else has written it.
pub(crate) async fn create(folder: &Location, name: &str, value: &impl Serialize) -> Result<bool> {
    let path = folder.path().clone().join(name);
    let text = serde_json::to_vec(value).map_err(|source| LakeError::Control {
        file: path.to_string(),
        source,
    })?;
    let store = folder.store();
    let put = store.put_opts(&path, text.clone().into(), PutMode::Create.into());
    match put.await {
        Ok(_) => Ok(true),
        Err(object_store::Error::AlreadyExists { .. }) => {
            // it may be ours: stores that lose an answer are asked again
            match store.get(&path).await {
                Ok(found) => Ok(found.bytes().await? == text),
                // whoever has written it has removed it since
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes a file, whether it is there or not.
pub(crate) async fn replace(folder: &Location, name: &str) -> Result<()> {
    let path = folder.path().clone().join(name);
    folder.store().put(&path, Vec::new().into()).await?;
    Ok(())
}

/// Removes a file, whether it is there or not.
pub(crate) async fn remove(folder: &Location, name: &str) -> Result<()> {
    let path = folder.path().clone().join(name);
    match folder.store().delete(&path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Names of the files of a folder.
pub(crate) async fn list(folder: &Location) -> Result<Vec<String>> {
    let listed = folder
        .store()
        .list_with_delimiter(Some(folder.path()))
        .await?;
    let names = listed
        .objects
        .iter()
        .filter_map(|file| file.location.filename());
    Ok(names.map(str::to_owned).collect())
}
