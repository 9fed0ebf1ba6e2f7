//! The files of a source one by one, for relations whose rows come from single files: which there
//! are, in which version, and which of them are computed together.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;

use super::{Format, Origin, Source, version};
use crate::FileTable;

/// Files up to this size in all are computed together, where there are many. A larger one is read
/// by several tasks.
const BUNDLE_BYTES: u64 = 16 << 20;

/// Up to so many files are computed one by one, so that one which changes takes no others along.
pub const MOST_SINGLE_FILES: usize = 63;

/// What tells a file from others and from what it was before; it begins with the path and a tab.
pub type Version = String;

/// Files that are computed together.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Their versions.
    pub versions: BTreeSet<Version>,
    files: Vec<PartitionedFile>,
    bytes: u64,
}

impl Source {
    /// The table of its files, if their rows can be read file by file: not those of text, whose
    /// columns depend on all files.
    pub fn file_table(&self) -> Option<&FileTable> {
        match &self.origin {
            Origin::Files(place) if place.format != Format::Parquet => None,
            _ => self.table.downcast_ref::<FileTable>(),
        }
    }

    /// Its files by their versions, with what their folders say; none where they can't be read one
    /// by one.
    pub fn versions(&self) -> BTreeMap<Version, PartitionedFile> {
        let files = self.file_table().into_iter().flat_map(FileTable::files);
        let versions = files.map(|file| {
            let values = file
                .partition_values
                .iter()
                .map(|value| format!("\t{value}"));
            let values: String = values.collect();
            (version(&file.object_meta) + &values, file.clone())
        });
        versions.collect()
    }
}

/// Divides files into bundles, many into bundles of neighbours.
pub fn bundles(files: BTreeMap<Version, PartitionedFile>) -> Vec<Bundle> {
    let are_single = files.len() <= MOST_SINGLE_FILES;
    let mut bundles: Vec<Bundle> = Vec::new();
    for (version, file) in files {
        let bytes = file.object_meta.size;
        let bundle = match bundles.last_mut() {
            Some(last) if !are_single && last.bytes + bytes <= BUNDLE_BYTES => last,
            _ => bundles.push_mut(Bundle::default()),
        };
        bundle.versions.insert(version);
        bundle.files.push(file);
        bundle.bytes += bytes;
    }
    bundles
}

impl Bundle {
    /// Whether there is room for as much again.
    pub fn is_small(bytes: u64) -> bool {
        2 * bytes <= BUNDLE_BYTES
    }

    /// What single tasks read of the bundle.
    pub fn shares(&self) -> Vec<FileGroup> {
        let [file] = &self.files[..] else {
            return vec![FileGroup::new(self.files.clone())];
        };
        let shares = self.bytes.div_ceil(BUNDLE_BYTES).max(1);
        let place = |share: u64| (self.bytes * share / shares).cast_signed();
        let ranges = (0..shares).map(|share| {
            let range = file.clone().with_range(place(share), place(share + 1));
            FileGroup::new(vec![range])
        });
        ranges.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(sizes: &[u64]) -> BTreeMap<Version, PartitionedFile> {
        let file = |(place, size): (usize, &u64)| {
            let name = format!("{place:02}.parquet");
            (format!("{name}\t{size}"), PartitionedFile::new(name, *size))
        };
        sizes.iter().enumerate().map(file).collect()
    }

    #[test]
    fn neighbours_are_bundled_where_there_are_many() {
        let counts = |sizes: &[u64]| -> Vec<usize> {
            let bundles = bundles(files(sizes));
            bundles.iter().map(|bundle| bundle.files.len()).collect()
        };
        assert_eq!(counts(&[1; MOST_SINGLE_FILES]), [1; MOST_SINGLE_FILES]);
        let mut sizes = [1 << 20; MOST_SINGLE_FILES + 1];
        assert_eq!(counts(&sizes), [16, 16, 16, 16]);
        sizes[8] = 10 << 20;
        assert_eq!(counts(&sizes), [8, 7, 16, 16, 16, 1]);
    }

    #[test]
    fn large_files_are_divided() {
        let bundles = bundles(files(&[4 << 20, 40 << 20]));
        let shares: Vec<usize> = bundles.iter().map(|bundle| bundle.shares().len()).collect();
        assert_eq!(shares, [1, 3]);
        let large = bundles[1].shares();
        let ranges = large.iter().flat_map(FileGroup::iter);
        let ends: Vec<(i64, i64)> = ranges
            .filter_map(|file| file.range.as_ref())
            .map(|range| (range.start, range.end))
            .collect();
        assert_eq!(ends.first().map(|range| range.0), Some(0));
        assert_eq!(ends.last().map(|range| range.1), Some(40 << 20));
        assert!(ends.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }
}
