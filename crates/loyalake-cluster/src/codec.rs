//! How our own plan nodes are written down; Ballista's and `DataFusion`'s write themselves.

use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use loyalake_jobs::IntegerGroupsExec;
use loyalake_lake::RowNumbersExec;
use loyalake_lake::staging::StageExec;
use serde::{Deserialize, Serialize};

/// How a node of ours begins; no message of Ballista's does.
const OURS: &[u8] = b"\xff\xffloyalake";

/// Knows our nodes and Ballista's.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    ballista: BallistaPhysicalExtensionCodec,
}

/// A node of ours, without its input.
#[derive(Serialize, Deserialize)]
enum Node {
    Stage { store: String, folder: String },
    RowNumbers { name: String, columns: Vec<usize> },
    IntegerGroups,
}

impl Node {
    fn of(plan: &dyn ExecutionPlan) -> Option<Self> {
        if let Some(stage) = plan.downcast_ref::<StageExec>() {
            return Some(Self::Stage {
                store: stage.store().to_string(),
                folder: stage.folder().to_string(),
            });
        }
        if plan.downcast_ref::<IntegerGroupsExec>().is_some() {
            return Some(Self::IntegerGroups);
        }
        let numbers = plan.downcast_ref::<RowNumbersExec>()?;
        Some(Self::RowNumbers {
            name: numbers.column_name().to_owned(),
            columns: numbers.columns().to_vec(),
        })
    }

    fn plan(self, input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(match self {
            Self::Stage { store, folder } => {
                let store = ObjectStoreUrl::parse(store)?;
                Arc::new(StageExec::new(input, store, folder.into()))
            }
            Self::RowNumbers { name, columns } => {
                Arc::new(RowNumbersExec::try_new(input, name, columns)?)
            }
            Self::IntegerGroups => IntegerGroupsExec::in_place_of(&input).unwrap_or(input),
        })
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buffer: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (buffer.strip_prefix(OURS), inputs) {
            (Some(node), [input]) => {
                let node: Node = serde_json::from_slice(node).map_err(json)?;
                node.plan(Arc::clone(input))
            }
            _ => self.ballista.try_decode(buffer, inputs, context, converter),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(ours) = Node::of(node.as_ref()) else {
            return self.ballista.try_encode(node, buffer, converter);
        };
        buffer.extend_from_slice(OURS);
        serde_json::to_writer(buffer, &ours).map_err(json)
    }
}

fn json(error: serde_json::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
