//! Stores behind URLs: how they are opened, and what becomes of their errors.
//!
//! Whatever a store answers passes through here, so no error holds a secret of the environment.

mod explain;

use std::error::Error as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, CopyOptions, Error, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, ObjectStoreScheme,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    RetryConfig, UploadPart,
};
use url::Url;

use self::explain::Explain;

/// Pauses before a conditional put is made again whose connection was lost.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// A store with the address that it is called by.
#[derive(Debug)]
struct Remote {
    store: Arc<dyn ObjectStore>,
    explain: Explain,
}

/// Opens the store of a URL; options that are not of its kind are left out.
pub(crate) fn open(
    url: &Url,
    options: &[(&str, &str)],
    secrets: Vec<String>,
) -> Result<Arc<dyn ObjectStore>> {
    let address = &url[..url::Position::BeforePath];
    let explain = Explain {
        address: address.into(),
        secrets: secrets.into(),
    };
    match build(url, address, options) {
        Ok(store) => Ok(Arc::new(Remote { store, explain })),
        Err(error) => Err(explain.error(error)),
    }
}

fn build(url: &Url, address: &str, options: &[(&str, &str)]) -> Result<Arc<dyn ObjectStore>> {
    let retry = retry();
    let (scheme, _) = ObjectStoreScheme::parse(url)?;
    Ok(match scheme {
        ObjectStoreScheme::AmazonS3 => {
            let builder = AmazonS3Builder::new().with_url(address).with_retry(retry);
            let with =
                |builder: AmazonS3Builder, (key, value)| builder.with_config(preferred(key), value);
            Arc::new(known(options).fold(builder, with).build()?)
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            let builder = GoogleCloudStorageBuilder::new().with_url(address);
            let with =
                |builder: GoogleCloudStorageBuilder, (key, value)| builder.with_config(key, value);
            let builder = known(options).fold(builder.with_retry(retry), with);
            Arc::new(builder.build()?)
        }
        ObjectStoreScheme::MicrosoftAzure => {
            let builder = MicrosoftAzureBuilder::new().with_url(address);
            let with =
                |builder: MicrosoftAzureBuilder, (key, value)| builder.with_config(key, value);
            let builder = known(options).fold(builder.with_retry(retry), with);
            Arc::new(builder.build()?)
        }
        _ => {
            let options = known(options).fold(
                // who writes http:// means it
                ClientOptions::new().with_allow_http(url.scheme() == "http"),
                |options, (key, value)| options.with_config(key, value),
            );
            let builder = HttpBuilder::new().with_url(address).with_retry(retry);
            Arc::new(builder.with_client_options(options).build()?)
        }
    })
}

/// How a request is made again: for about twenty seconds, so that a store that stumbles does not
/// end a night's run, and one that is not there is soon said to be so.
fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: 10,
        retry_timeout: Duration::from_mins(2),
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 4.0,
        },
    }
}

/// The options of one kind of store.
fn known<'a, Key: FromStr>(
    options: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = (Key, &'a str)> {
    options
        .iter()
        .filter_map(|(key, value)| Some((key.to_lowercase().parse().ok()?, *value)))
}

/// Whether it is not known what became of a request. The library makes such requests again, but not
/// conditional puts, although it repeats these after other errors: so whoever makes one must know
/// in any case that an object which is there already may be its own.
fn is_lost(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            let kind = error.kind();
            return matches!(kind, HttpErrorKind::Interrupted | HttpErrorKind::Timeout);
        }
        cause = error.source();
    }
    false
}

/// One key for what has two, so that the option that comes last wins.
fn preferred(key: AmazonS3ConfigKey) -> AmazonS3ConfigKey {
    match key {
        AmazonS3ConfigKey::S3Endpoint => AmazonS3ConfigKey::Endpoint,
        AmazonS3ConfigKey::DefaultRegion => AmazonS3ConfigKey::Region,
        key => key,
    }
}

impl std::fmt::Display for Remote {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.explain.address)
    }
}

#[async_trait]
impl ObjectStore for Remote {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let is_conditional = options.mode != PutMode::Overwrite;
        let again = || {
            self.store
                .put_opts(location, payload.clone(), options.clone())
        };
        let mut done = again().await;
        for pause in PAUSES {
            if !is_conditional || !done.as_ref().is_err_and(is_lost) {
                break;
            }
            tokio::time::sleep(pause).await;
            done = again().await;
        }
        done.map_err(|error| self.explain.error(error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let explain = self.explain.clone();
        match self.store.put_multipart_opts(location, options).await {
            Ok(upload) => Ok(Box::new(RemoteUpload {
                upload,
                explain,
                store: Arc::clone(&self.store),
                location: location.clone(),
                bytes: 0,
            })),
            Err(error) => Err(explain.error(error)),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let explain = self.explain.clone();
        let mut found = match self.store.get_opts(location, options).await {
            Ok(found) => found,
            Err(error) => return Err(explain.error(error)),
        };
        if let GetResultPayload::Stream(bytes) = found.payload {
            let bytes = bytes.map_err(move |error| explain.error(error));
            found.payload = GetResultPayload::Stream(bytes.boxed());
        }
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let explain = self.explain.clone();
        let deleted = self.store.delete_stream(locations);
        deleted.map_err(move |error| explain.error(error)).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let explain = self.explain.clone();
        let listed = self.store.list(prefix);
        listed.map_err(move |error| explain.error(error)).boxed()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let explain = self.explain.clone();
        let listed = self.store.list_with_offset(prefix, offset);
        listed.map_err(move |error| explain.error(error)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.store.list_with_delimiter(prefix).await;
        listed.map_err(|error| self.explain.error(error))
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let done = self.store.copy_opts(from, to, options).await;
        done.map_err(|error| self.explain.error(error))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let done = self.store.rename_opts(from, to, options).await;
        done.map_err(|error| self.explain.error(error))
    }
}

/// An upload in parts, with the same errors.
#[derive(Debug)]
struct RemoteUpload {
    upload: Box<dyn MultipartUpload>,
    explain: Explain,
    store: Arc<dyn ObjectStore>,
    location: Path,
    bytes: u64,
}

#[async_trait]
impl MultipartUpload for RemoteUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let explain = self.explain.clone();
        self.bytes += data.content_length() as u64;
        let put = self.upload.put_part(data);
        put.map(move |done| done.map_err(|error| explain.error(error)))
            .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let error = match self.upload.complete().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // a second request is told that there is no upload when the answer to the first was lost
        match self.store.head(&self.location).await {
            Ok(found) if found.size == self.bytes => Ok(PutResult {
                e_tag: found.e_tag,
                version: found.version,
            }),
            _ => Err(self.explain.error(error)),
        }
    }

    async fn abort(&mut self) -> Result<()> {
        let done = self.upload.abort().await;
        done.map_err(|error| self.explain.error(error))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    fn store(url: &str, options: &[(&str, &str)]) -> Result<String> {
        let url = Url::parse(url).expect("a URL");
        open(&url, options, Vec::new()).map(|store| format!("{store} {store:?}"))
    }

    #[test]
    fn each_scheme_opens_its_store_with_its_options() {
        let aws = [
            ("aws_endpoint_url_s3", "http://environment"),
            ("azure_storage_account_name", "shop"),
            ("AWS_ENDPOINT", "http://configured:9000"),
            ("aws_skip_signature", "true"),
        ];
        let opened = store("s3://raw/orders/", &aws).expect("a store");
        assert!(opened.starts_with("s3://raw "), "{opened}");
        assert!(opened.contains("http://configured:9000/raw"), "{opened}");
        let opened = store("az://raw/orders/", &aws).expect("a store");
        assert!(opened.contains("shop.blob.core.windows.net"), "{opened}");
        let url = "abfss://raw@shop.dfs.core.windows.net/orders/";
        let opened = store(url, &[]).expect("a store");
        assert!(opened.contains("container: \"raw\""), "{opened}");
        let google = [
            ("google_skip_signature", "true"),
            ("google_base_url", "http://localhost:4443"),
        ];
        let opened = store("gs://raw/orders/", &google).expect("a store");
        assert!(opened.starts_with("gs://raw "), "{opened}");
        assert!(opened.contains("bucket_name: \"raw\""), "{opened}");
        assert!(opened.contains("http://localhost:4443"), "{opened}");
        let missing = store("az://raw/orders/", &[]).expect_err("no account");
        assert!(missing.to_string().contains("az://raw: "), "{missing}");
    }
}
