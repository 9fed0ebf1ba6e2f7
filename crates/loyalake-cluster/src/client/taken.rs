//! What executors took for a plan, noted in its nodes as if they had run here.

use std::sync::Arc;

use ballista_core::serde::protobuf::OperatorWithMetrics;
use ballista_core::serde::protobuf::operator_metric::Metric;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::source::DataSource;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use loyalake_lake::{ELSEWHERE, file_scan};

/// What a scan of files calls the bytes of their columns.
const BYTES: &str = "bytes_scanned";

/// A scan of a plan.
struct Scan {
    first_file: PartitionedFile,
    metrics: ExecutionPlanMetricsSet,
}

/// Notes what the operators of a job took: what was read at the scans of the plan, all that was put
/// on disk at the first of them.
pub(super) fn note(plan: &Arc<dyn ExecutionPlan>, operators: &[OperatorWithMetrics]) {
    let scans = scans(plan);
    for operator in operators {
        // what reads files shows the first of them
        let is_of = |scan: &&Scan| {
            let path = scan.first_file.object_meta.location.as_ref();
            operator.operator_desc.contains(path)
        };
        if let Some(scan) = scans.iter().find(is_of) {
            let bytes = sum(operator, |metric| match metric {
                Metric::Count(count) if count.name == BYTES => Some(count.value),
                _ => None,
            });
            let rows = sum(operator, |metric| match metric {
                Metric::OutputRows(rows) => Some(*rows),
                _ => None,
            });
            scan.builder().counter(BYTES, 0).add(bytes);
            scan.builder().output_rows(0).add(rows);
        }
        if let Some(scan) = scans.first() {
            let count = sum(operator, |metric| match metric {
                Metric::SpillCount(count) => Some(*count),
                _ => None,
            });
            let bytes = sum(operator, |metric| match metric {
                Metric::SpilledBytes(bytes) => Some(*bytes),
                _ => None,
            });
            scan.builder().spill_count(0).add(count);
            scan.builder().spilled_bytes(0).add(bytes);
        }
    }
}

impl Scan {
    fn of(node: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        let files = file_scan(node.as_ref())?;
        let first = files.file_groups.iter().flat_map(FileGroup::files).next()?;
        Some(Self {
            first_file: first.clone(),
            metrics: files.metrics(),
        })
    }

    fn builder(&self) -> MetricBuilder<'_> {
        MetricBuilder::new(&self.metrics).with_new_label(ELSEWHERE, "true")
    }
}

fn scans(plan: &Arc<dyn ExecutionPlan>) -> Vec<Scan> {
    let mut scans = Vec::new();
    let visited = plan.apply(|node| {
        scans.extend(Scan::of(node));
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "no visit of a node fails");
    scans
}

fn sum(operator: &OperatorWithMetrics, value: impl Fn(&Metric) -> Option<u64>) -> usize {
    let metrics = operator.metrics.iter();
    let values = metrics.filter_map(|metric| metric.metric.as_ref().and_then(&value));
    usize::try_from(values.sum::<u64>()).unwrap_or(usize::MAX)
}
