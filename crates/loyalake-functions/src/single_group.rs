//! An accumulator of one group, made from one of many groups.

use std::fmt::Debug;

use datafusion_common::arrow::array::ArrayRef;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// The first and only group of `groups`.
#[derive(Debug)]
pub(crate) struct SingleGroup<G> {
    groups: G,
}

impl<G: GroupsAccumulator> SingleGroup<G> {
    /// One group without rows: `groups` has one group already.
    pub(crate) fn new(groups: G) -> Self {
        Self { groups }
    }
}

impl<G: GroupsAccumulator + Clone + Debug + Sync> Accumulator for SingleGroup<G> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.groups
            .update_batch(values, &vec![0; values[0].len()], None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.groups
            .merge_batch(states, &vec![0; states[0].len()], 1)
    }

    /// Window functions go on after asking for a result, so that a copy is emitted.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let result = self.groups.clone().evaluate(EmitTo::All)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let columns = self.groups.clone().state(EmitTo::All)?;
        columns
            .iter()
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.groups.size()
    }
}
