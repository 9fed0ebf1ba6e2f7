//! `cycle_members(from_id, to_id)`: rings of customers who invite each other.

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, UInt32Array, new_empty_array,
};
use datafusion_common::arrow::compute::{concat, partition, sort_to_indices, take};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::loyalty::cycle_members as core;

use crate::args::{Kind, Parameters, TEXT, WHOLE_NUMBER, state_column};

/// The SQL function.
pub(crate) fn cycle_members() -> AggregateUDF {
    AggregateUDF::from(CycleMembers {
        signature: PARAMETERS.signature(),
    })
}

const ID: Kind = Kind {
    expected: "a whole number or a string",
    accepts: |t| (WHOLE_NUMBER.accepts)(t) || (TEXT.accepts)(t),
};

const PARAMETERS: Parameters = Parameters::new("cycle_members", &[("from_id", ID), ("to_id", ID)]);

/// Below this many rows joining arrays is not worth it.
const SMALLEST_BATCH: usize = 1024;

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The ids that lie on a directed cycle of the pairs in a group, ascending, each once, as a \
         list: a invites b, b invites c, c invites a. A pair of two equal ids is a cycle of one; \
         an id that only leads to a cycle, or from one, is not a member (strongly connected \
         components, Tarjan 1972). Rows with a NULL are skipped; a group without pairs gives \
         NULL, one without a cycle an empty list. Memory and time grow with the pairs of a group.",
        "cycle_members(from_id, to_id)",
    )
    .with_argument("from_id", "A whole number or a string.")
    .with_argument("to_id", "The id it points to, of the same kind.")
    .with_sql_example(
        "select cycle_members(inviter, invited) as ring \
         from (values ('ada', 'ben'), ('ben', 'cem'), ('cem', 'ada'), ('cem', 'dan')) \
         as referrals (inviter, invited)",
    )
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct CycleMembers {
    signature: Signature,
}

impl AggregateUDFImpl for CycleMembers {
    fn name(&self) -> &str {
        PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Both ids become of one type; what cannot is left for `return_type` to explain.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let id_type = id_type(types);
        Ok(id_type.map_or_else(|| types.to_vec(), |id_type| vec![id_type; 2]))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        PARAMETERS.check(types)?;
        let Some(id_type) = id_type(types) else {
            let (from, to) = (&types[0], &types[1]);
            return plan_err!(
                "cycle_members: argument 2 (to_id) must be of the same kind as argument 1 \
                 (from_id), {from}, but is {to}; cast one of them"
            );
        };
        Ok(DataType::new_list(id_type, true))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        PARAMETERS.check_not_distinct(&args)?;
        let list = DataType::new_list(args.input_fields[0].data_type().clone(), true);
        let field = |part| -> FieldRef {
            Arc::new(Field::new(
                format_state_name(args.name, part),
                list.clone(),
                true,
            ))
        };
        Ok(vec![field("from_ids"), field("to_ids")])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let no_ids = new_empty_array(args.expr_fields[0].data_type());
        Ok(Box::new(PairAccumulator {
            kept: [no_ids.clone(), no_ids],
            waiting: Vec::new(),
            waiting_rows: 0,
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// The type that holds both ids; `None` when none does.
fn id_type(types: &[DataType]) -> Option<DataType> {
    let plain = |data_type: &DataType| match data_type {
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        _ => data_type.clone(),
    };
    let [from, to] = types else {
        return None;
    };
    Some(match (plain(from), plain(to)) {
        (DataType::Null, DataType::Null) => DataType::Int64,
        (id_type, DataType::Null) | (DataType::Null, id_type) => id_type,
        (from, to) if from == to => from,
        (from, to) if from.is_string() && to.is_string() => DataType::Utf8View,
        (DataType::UInt64, other) | (other, DataType::UInt64) => {
            return other.is_unsigned_integer().then_some(DataType::UInt64);
        }
        (from, to) if from.is_integer() && to.is_integer() => DataType::Int64,
        _ => return None,
    })
}

/// The pairs of a group, in arrays that hold nothing else.
#[derive(Debug)]
struct PairAccumulator {
    kept: [ArrayRef; 2],
    /// Joined with `kept` when they are as many.
    waiting: Vec<[ArrayRef; 2]>,
    waiting_rows: usize,
}

impl PairAccumulator {
    fn add(&mut self, from: &ArrayRef, to: &ArrayRef) -> Result<()> {
        let rows = (0_u32..).take(from.len());
        let is_pair = |row: &u32| from.is_valid(*row as usize) && to.is_valid(*row as usize);
        let rows: UInt32Array = rows.filter(is_pair).collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.waiting.push([copy(from, &rows)?, copy(to, &rows)?]);
        self.waiting_rows += rows.len();
        if self.waiting_rows >= self.kept[0].len().max(SMALLEST_BATCH) {
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        for (side, kept) in self.kept.iter_mut().enumerate() {
            let waiting = self.waiting.iter().map(|pair| pair[side].as_ref());
            let all: Vec<&dyn Array> = std::iter::once(kept.as_ref()).chain(waiting).collect();
            *kept = concat(&all)?;
        }
        self.waiting = Vec::new();
        self.waiting_rows = 0;
        Ok(())
    }
}

impl Accumulator for PairAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], &values[1])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let from: &ListArray = state_column(PARAMETERS.function(), states, 0)?;
        let to: &ListArray = state_column(PARAMETERS.function(), states, 1)?;
        for row in (0..from.len()).filter(|row| from.is_valid(*row)) {
            self.add(&from.value(row), &to.value(row))?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.settle()?;
        Ok(self.kept.iter().map(list).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.settle()?;
        if self.kept[0].is_empty() {
            let id_type = self.kept[0].data_type().clone();
            return Ok(ScalarValue::new_null_list(id_type, true, 1));
        }
        Ok(list(&members(&self.kept)?))
    }

    fn size(&self) -> usize {
        let arrays = self.kept.iter().chain(self.waiting.iter().flatten());
        let heap: usize = arrays.map(Array::get_array_memory_size).sum();
        size_of_val(self) + heap + self.waiting.capacity() * size_of::<[ArrayRef; 2]>()
    }
}

fn list(ids: &ArrayRef) -> ScalarValue {
    SingleRowListArrayBuilder::new(Arc::clone(ids)).build_list_scalar()
}

/// The rows as an array that shares no memory with the batch they came in.
fn copy(ids: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef> {
    let ids = take(ids, rows, None)?;
    Ok(match ids.as_string_view_opt() {
        Some(views) => Arc::new(views.gc()),
        None => ids,
    })
}

/// The ids on a cycle, ascending.
fn members([from, to]: &[ArrayRef; 2]) -> Result<ArrayRef> {
    let pairs = from.len();
    if 2 * pairs >= u32::MAX as usize - 1 {
        return Err(exec_datafusion_err!(
            "cycle_members: {pairs} pairs in a group, but 2147483646 is the most; group by more"
        ));
    }
    let ids = concat(&[from.as_ref(), to.as_ref()])?;
    let order = sort_to_indices(&ids, None, None)?;
    let sorted = take(&ids, &order, None)?;
    let equal_ids = partition(std::slice::from_ref(&sorted))?.ranges();
    let mut nodes = vec![0_u32; ids.len()];
    for (node, range) in (0..).zip(&equal_ids) {
        for row in &order.values()[range.clone()] {
            nodes[*row as usize] = node;
        }
    }
    let (from, to) = nodes.split_at(pairs);
    let edges: Vec<(u32, u32)> = from.iter().copied().zip(to.iter().copied()).collect();
    let is_member = core::cycle_members(u32::try_from(equal_ids.len()).unwrap_or(u32::MAX), &edges);
    let members = equal_ids
        .iter()
        .zip(is_member)
        .filter(|(_, is_member)| *is_member);
    let first = |(range, _): (&std::ops::Range<usize>, bool)| u32::try_from(range.start).ok();
    Ok(take(
        &sorted,
        &members.map(first).collect::<UInt32Array>(),
        None,
    )?)
}
