//! What running takes: bytes read and spilled, and memory.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::execution::memory_pool::TrackConsumersPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use loyalake_lake::staging::Staged;
use loyalake_lake::{ELSEWHERE, Location, file_scan};

use super::Run;
use crate::memory::MemoryShares;
use crate::report::{Read, Spill};

/// What a plan took that has run to its end.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What each scan of files read.
    scans: Vec<Scan>,
    spill: Spill,
}

/// What a scan of the files of one relation read.
#[derive(Debug)]
struct Scan {
    store: ObjectStoreUrl,
    /// One of the files.
    file: PartitionedFile,
    /// Without footers.
    bytes: usize,
    rows: usize,
    /// Other processes read them: no store of this one has counted the bytes.
    is_elsewhere: bool,
}

impl Taken {
    /// Asks every node of a plan.
    pub(super) fn by(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut taken = Self::default();
        let visited = plan.apply(|node| {
            taken.add(node.as_ref());
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(visited.is_ok(), "no visit of a node fails");
        taken
    }

    /// Adds what another plan took.
    pub(super) fn add_all(&mut self, other: Self) {
        self.scans.extend(other.scans);
        self.spill.count += other.spill.count;
        self.spill.bytes += other.spill.bytes;
    }

    fn add(&mut self, node: &dyn ExecutionPlan) {
        let Some(metrics) = node.metrics() else {
            return;
        };
        self.spill.count += metrics.spill_count().unwrap_or(0);
        self.spill.bytes += metrics.spilled_bytes().unwrap_or(0);
        let Some(files) = file_scan(node) else {
            return;
        };
        let mut files_of_all = files.file_groups.iter().flat_map(FileGroup::files);
        if let Some(first) = files_of_all.next() {
            let bytes = metrics.sum_by_name("bytes_scanned");
            self.scans.push(Scan {
                store: files.object_store_url.clone(),
                file: first.clone(),
                bytes: bytes.map_or(0, |bytes| bytes.as_usize()),
                rows: metrics.output_rows().unwrap_or(0),
                is_elsewhere: metrics.iter().any(|metric| {
                    let mut labels = metric.labels().iter();
                    labels.any(|label| label.name() == ELSEWHERE)
                }),
            });
        }
    }
}

impl Run<'_> {
    /// Adds to the run's totals what a plan took, and says what it read by relation.
    pub(super) fn account(&mut self, taken: Taken) -> (Vec<Read>, Spill) {
        let mut read: Vec<Read> = Vec::new();
        for scan in taken.scans {
            let name = self.name_of(&scan);
            self.report.resources.bytes_read += scan.bytes;
            if let (true, Some(source)) = (scan.is_elsewhere, name.strip_prefix("source.")) {
                let mut inputs = self.report.inputs.iter_mut();
                if let Some(input) = inputs.find(|input| input.name == source) {
                    input.bytes_read += scan.bytes as u64;
                }
            }
            match read.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    known.bytes += scan.bytes;
                    known.rows += scan.rows;
                }
                None => read.push(Read {
                    name,
                    bytes: scan.bytes,
                    rows: scan.rows,
                }),
            }
        }
        self.report.resources.spill.count += taken.spill.count;
        self.report.resources.spill.bytes += taken.spill.bytes;
        (read, taken.spill)
    }

    /// The relation whose files were scanned.
    fn name_of(&self, scan: &Scan) -> String {
        let mut sources = self.session.sources.iter();
        if let Some((name, _)) = sources.find(|(_, source)| source.holds(&scan.store, &scan.file)) {
            return format!("source.{name}");
        }
        let path = &scan.file.object_meta.location;
        let is_in = |staged: &Staged| path.prefix_matches(staged.location.path());
        if let Some((name, _)) = self.staged.iter().find(|(_, staged)| is_in(staged)) {
            return name.clone();
        }
        let first_below = |folder: &Location| {
            let mut parts = path.prefix_match(folder.path())?;
            Some(parts.next()?.as_ref().to_owned())
        };
        if let Some(name) = first_below(&self.scratch) {
            return name;
        }
        match first_below(&self.output) {
            Some(name) => format!("history.{name}"),
            None => path.to_string(),
        }
    }

    /// Completes the report with what only the end knows.
    pub(super) fn sum_up(&mut self) {
        for input in &mut self.report.inputs {
            if let Some(source) = self.session.sources.get(&input.name) {
                input.bytes_read += source.bytes_read();
            }
        }
        let runtime = self.session.context.runtime_env();
        let pool = runtime
            .memory_pool
            .downcast_ref::<TrackConsumersPool<MemoryShares>>();
        self.report.resources.peak_accounted = pool.map_or(0, |pool| pool.inner().peak());
        self.report.resources.peak_memory = peak_memory();
    }
}

/// The most memory that this process had at a time, in bytes, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
