//! Whether a store keeps what is there: commits rely on creating a file that nobody else created.

use object_store::{Error, PutMode, PutPayload};

use object_store::ObjectStoreExt;

use crate::{LakeError, Location, Result};

/// Refuses an output whose store lets two writers create the same object. `run_id` is the name of
/// the object that is tried, `_loyalake/probe/<run id>`; it is removed again.
///
/// # Errors
/// [`LakeError::NoConditionalPut`], and whatever the store says to the first object of a run.
pub async fn require_conditional_put(output: &Location, run_id: &str) -> Result<()> {
    let probe = output.child("_loyalake").child("probe").child(run_id);
    let (store, path) = (probe.store(), probe.path());
    let create = || {
        store.put_opts(
            path,
            PutPayload::from_static(b"probe"),
            PutMode::Create.into(),
        )
    };
    let mut second = create().await;
    // a first one that is there already was created by a request whose answer was lost
    if second.is_ok() {
        second = create().await;
        store.delete(path).await?;
    }
    let reason = match second {
        Err(Error::AlreadyExists { .. }) => return Ok(()),
        Ok(_) => "the store replaced an object that it was told to keep".to_owned(),
        Err(error @ Error::NotImplemented { .. }) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    Err(LakeError::NoConditionalPut {
        location: output.url().to_string(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use datafusion::execution::runtime_env::RuntimeEnv;

    use super::*;
    use crate::Storage;

    #[tokio::test]
    async fn a_local_folder_keeps_what_is_there_and_nothing_is_left_in_it() {
        let folder = std::env::temp_dir().join(format!("loyalake-{}", std::process::id()));
        let output = Storage::default()
            .locate("lake", &folder, &RuntimeEnv::default())
            .expect("a location");
        for run_id in ["one", "two"] {
            let accepted = require_conditional_put(&output, run_id).await;
            assert!(accepted.is_ok(), "{accepted:?}");
        }
        let left = std::fs::read_dir(folder.join("lake/_loyalake/probe")).expect("a folder");
        assert_eq!(left.count(), 0);
        std::fs::remove_dir_all(folder).expect("it is removed");
    }
}
