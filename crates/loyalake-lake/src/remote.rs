//! Stores behind URLs: how they are opened, and errors that say where, what, and how to mend it.
//!
//! Whatever a store answers passes through here, so no error holds a secret of the environment.

use std::error::Error as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, CopyOptions, Error, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreScheme, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, Result, RetryConfig, UploadPart,
};
use url::Url;

/// Longest text of an error that is repeated.
const LONGEST_TEXT: usize = 600;

/// What a store's answer means, by words that stand in it.
const MEANINGS: [(&[&str], &str); 7] = [
    (
        &[
            "NoSuchBucket",
            "ContainerNotFound",
            "bucket does not exist",
            "FilesystemNotFound",
        ],
        "the bucket or container does not exist; create it, or mend the location",
    ),
    (
        &[
            "/latest/api/token",
            "/latest/meta-data",
            "/metadata/identity",
            "/computeMetadata/",
            "metadata.google.internal",
        ],
        "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         AZURE_STORAGE_ACCOUNT_KEY or GOOGLE_APPLICATION_CREDENTIALS in the environment, or run \
         where the platform gives a role",
    ),
    (
        &["Account must be specified"],
        "the account is not known; set azure_storage_account_name in [storage], or \
         AZURE_STORAGE_ACCOUNT_NAME in the environment",
    ),
    (
        &["URL scheme is not allowed"],
        "an http:// endpoint is refused unless the option aws_allow_http or azure_allow_http is \
         \"true\"",
    ),
    (
        &["Received redirect without LOCATION"],
        "the bucket is in another region; set aws_region",
    ),
    (
        &[
            "Connection refused",
            "dns error",
            "failed to lookup address",
        ],
        "the store can't be reached; check the endpoint and the network",
    ),
    (
        &["403 Forbidden", "401 Unauthorized"],
        "the credentials of the environment are not accepted, or don't allow this",
    ),
];

/// A store with the address that it is called by.
#[derive(Debug)]
struct Remote {
    store: Arc<dyn ObjectStore>,
    explain: Explain,
}

/// Turns a store's error into one that can be shown.
#[derive(Clone)]
struct Explain {
    address: Arc<str>,
    secrets: Arc<[String]>,
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

/// One key for what has two, so that the option that comes last wins.
fn preferred(key: AmazonS3ConfigKey) -> AmazonS3ConfigKey {
    match key {
        AmazonS3ConfigKey::S3Endpoint => AmazonS3ConfigKey::Endpoint,
        AmazonS3ConfigKey::DefaultRegion => AmazonS3ConfigKey::Region,
        key => key,
    }
}

impl std::fmt::Debug for Explain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.address)
    }
}

impl Explain {
    /// The same condition, in words that can be shown.
    fn error(&self, error: Error) -> Error {
        let (words, is_known) = self.words(&error);
        let source = words.into();
        match error {
            Error::NotFound { path, .. } if !is_known => Error::NotFound { path, source },
            Error::AlreadyExists { path, .. } => Error::AlreadyExists { path, source },
            Error::Precondition { path, .. } => Error::Precondition { path, source },
            Error::NotModified { path, .. } => Error::NotModified { path, source },
            Error::NotImplemented { .. } | Error::InvalidPath { .. } => error,
            _ => Error::Generic {
                store: "object store",
                source,
            },
        }
    }

    /// What happened, and whether it is known what that means.
    fn words(&self, error: &Error) -> (String, bool) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        let is_told = |words: &&str| text.contains(*words);
        let meaning = MEANINGS.iter().find(|(words, _)| words.iter().any(is_told));
        let mut text = without_markup(&text);
        for secret in self.secrets.iter() {
            text = text.replace(secret.as_str(), "***");
        }
        let text: String = text.chars().take(LONGEST_TEXT).collect();
        let words = match meaning {
            Some((_, meaning)) => format!("{}: {meaning} ({text})", self.address),
            None => format!("{}: {text}", self.address),
        };
        (words, meaning.is_some())
    }
}

/// A text with the code and the message of the XML in it, and nothing else of the XML: stores
/// repeat there what they were sent.
fn without_markup(text: &str) -> String {
    let plain = match text.find("<?xml").or_else(|| text.find('<')) {
        None => text.to_owned(),
        Some(start) => {
            let inside = |tag: &str| {
                let rest = text.split_once(&format!("<{tag}>"))?.1;
                Some(rest.split_once(&format!("</{tag}>"))?.0)
            };
            let code = inside("Code").unwrap_or("no code");
            let message = inside("Message").unwrap_or("no message");
            format!("{}{code}: {message}", &text[..start])
        }
    };
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
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
        let done = self.store.put_opts(location, payload, options).await;
        done.map_err(|error| self.explain.error(error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let explain = self.explain.clone();
        match self.store.put_multipart_opts(location, options).await {
            Ok(upload) => Ok(Box::new(RemoteUpload { upload, explain })),
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
}

#[async_trait]
impl MultipartUpload for RemoteUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let explain = self.explain.clone();
        let put = self.upload.put_part(data);
        put.map(move |done| done.map_err(|error| explain.error(error)))
            .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let done = self.upload.complete().await;
        done.map_err(|error| self.explain.error(error))
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

    fn explained(text: &str) -> Error {
        let explain = Explain {
            address: "s3://raw".into(),
            secrets: vec!["hunter2hunter2".to_owned()].into(),
        };
        explain.error(Error::NotFound {
            path: "orders".to_owned(),
            source: text.into(),
        })
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

    #[test]
    fn what_stores_say_is_short_and_means_something() {
        let text = "Error performing GET: 404 Not Found: <?xml version=\"1.0\"?>\n<Error>\
            <Code>NoSuchBucket</Code><Message>The bucket\nis not there</Message></Error>";
        let error = explained(text);
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("s3://raw: the bucket or container does not exist"));
        assert!(text.ends_with("404 Not Found: NoSuchBucket: The bucket is not there)"));
    }

    #[test]
    fn what_is_not_there_stays_so_and_hides_secrets() {
        let error = explained("no key hunter2hunter2 <Token>AQoDYXdzEJr</Token>");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("no key ***"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("AQoDYXdzEJr"));
    }
}
