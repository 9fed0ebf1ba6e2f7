//! The store that a source is read from: it counts bytes, and Parquet footers are read once.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::cache::default_cache::DefaultCache;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, OBJECT_STORE_COALESCE_DEFAULT,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, coalesce_ranges,
};
use url::Url;

/// Memory for the footers of a source; what does not fit is read again when it is needed.
const FOOTER_BYTES: usize = 32 << 20;

/// How a source is read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// The store.
    pub(super) store: Arc<dyn ObjectStore>,
    /// Footers that were read, by path: of this source alone, because stores may share paths.
    pub(super) footers: Arc<FileMetadataCache>,
    bytes: Arc<AtomicU64>,
}

/// A store that counts the bytes that are read from it.
#[derive(Debug)]
struct Counted {
    store: Arc<dyn ObjectStore>,
    /// Whether it reads ranges exactly; others also read what lies between near ones.
    is_local: bool,
    bytes: Arc<AtomicU64>,
}

impl Reading {
    pub(super) fn new(store: Arc<dyn ObjectStore>, url: &Url) -> Self {
        let bytes = Arc::<AtomicU64>::default();
        let counted = Counted {
            store,
            is_local: url.scheme() == "file",
            bytes: Arc::clone(&bytes),
        };
        Self {
            store: Arc::new(counted),
            footers: Arc::new(DefaultCache::new(FOOTER_BYTES)),
            bytes,
        }
    }

    /// Bytes that were read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What queries read Parquet files with.
    pub(super) fn parquet(&self) -> Arc<dyn ParquetFileReaderFactory> {
        let (store, footers) = (Arc::clone(&self.store), Arc::clone(&self.footers));
        Arc::new(CachedParquetFileReaderFactory::new(store, footers))
    }
}

impl Counted {
    fn count(&self, range: &Range<u64>) {
        let length = range.end.saturating_sub(range.start);
        self.bytes.fetch_add(length, Ordering::Relaxed);
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for Counted {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let has_body = !options.head;
        let found = self.store.get_opts(location, options).await?;
        if has_body {
            self.count(&found.range);
        }
        Ok(found)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if self.is_local {
            for range in ranges {
                self.count(range);
            }
            return self.store.get_ranges(location, ranges).await;
        }
        let get = |range| self.get_range(location, range);
        coalesce_ranges(ranges, get, OBJECT_STORE_COALESCE_DEFAULT).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}
