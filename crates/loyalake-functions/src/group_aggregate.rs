//! Aggregates that keep a few numbers for each group, whatever the number of its rows.
//!
//! An aggregate is a [`GroupAggregate`]: how a row is read and added, how states are merged, what
//! comes out. Its plumbing, with state and result as Arrow columns, is here once for all.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray, Float64Array, Int64Array,
    StructArray,
};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion_doc::Documentation;
use datafusion_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
};

use crate::args::{Parameters, state_column};
use crate::single_group::SingleGroup;

/// One aggregate function.
pub(crate) trait GroupAggregate: Copy + Debug + Eq + Hash + Send + Sync + 'static {
    /// What is kept of a group.
    type State: GroupState;
    /// What is known from constants.
    type Constant: Copy + Debug + Send + Sync;
    /// Name and arguments.
    const PARAMETERS: Parameters;

    /// Description, parameters, an example.
    fn documentation(&self) -> &'static Documentation;

    /// Reads the constants among the arguments.
    ///
    /// # Errors
    /// A plan error that says what is wrong with one.
    fn constant(args: &AccumulatorArgs) -> Result<Self::Constant>;

    /// Checks constants while the query is planned.
    fn simplify() -> Option<AggregateFunctionSimplification> {
        None
    }

    /// What one group gives.
    fn result_type() -> DataType;

    /// A function that adds a row of the columns to a state, when the row counts.
    ///
    /// # Errors
    /// When a column cannot be decoded.
    fn rows(columns: &[ArrayRef]) -> Result<impl Fn(usize, &mut Self::State) + use<Self>>;

    /// One result for each state.
    ///
    /// # Errors
    /// When the columns do not fit `result_type`.
    fn results(constant: Self::Constant, states: &[Self::State]) -> Result<ArrayRef>;

    /// The SQL function.
    fn udaf(self) -> AggregateUDF {
        AggregateUDF::from(Plumbing {
            aggregate: self,
            signature: Self::PARAMETERS.signature(),
        })
    }
}

/// What is kept of a group.
pub(crate) trait GroupState: Copy + Default + Debug + Send + Sync + 'static {
    /// The numbers it is written as.
    type Words: AsRef<[i64]>;
    /// How many they are.
    const WORDS: usize;

    /// Adds what is known about the same group from elsewhere.
    fn merge(&mut self, other: &Self);

    /// As numbers.
    fn to_words(&self) -> Self::Words;

    /// The state that wrote these numbers; `None` when they are not `WORDS`.
    fn from_words(words: &[i64]) -> Option<Self>;
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Plumbing<A> {
    aggregate: A,
    signature: Signature,
}

impl<A: GroupAggregate> Plumbing<A> {
    fn groups(args: &AccumulatorArgs) -> Result<Groups<A>> {
        Ok(Groups {
            constant: A::constant(args)?,
            states: Vec::new(),
        })
    }
}

impl<A: GroupAggregate> AggregateUDFImpl for Plumbing<A> {
    fn name(&self) -> &str {
        A::PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        A::PARAMETERS.check(types)?;
        Ok(A::result_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        A::PARAMETERS.check_not_distinct(&args)?;
        let name = format_state_name(args.name, "words");
        let words = DataType::FixedSizeList(word_field(), word_count::<A::State>());
        Ok(vec![Arc::new(Field::new(name, words, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mut groups = Self::groups(&args)?;
        groups.grow(1);
        Ok(Box::new(SingleGroup::new(groups)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Self::groups(&args)?))
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        A::simplify()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.aggregate.documentation())
    }
}

/// The states of all groups.
#[derive(Debug, Clone)]
struct Groups<A: GroupAggregate> {
    constant: A::Constant,
    states: Vec<A::State>,
}

impl<A: GroupAggregate> Groups<A> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.states.len());
        self.states.resize(groups, A::State::default());
    }
}

impl<A: GroupAggregate> GroupsAccumulator for Groups<A> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let add = A::rows(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            if is_wanted(opt_filter, row) {
                add(row, &mut self.states[*group]);
            }
        }
        Ok(())
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let words: &FixedSizeListArray = state_column(A::PARAMETERS.function(), values, 0)?;
        let words = words.values().as_primitive::<Int64Type>().values();
        for (group, words) in group_indices
            .iter()
            .zip(words.chunks_exact(A::State::WORDS))
        {
            if let Some(other) = A::State::from_words(words) {
                self.states[*group].merge(&other);
            }
        }
        Ok(())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        word_column(&emit_to.take_needed(&mut self.states))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let add = A::rows(values)?;
        let mut states = vec![A::State::default(); values[0].len()];
        for (row, state) in states.iter_mut().enumerate() {
            if is_wanted(opt_filter, row) {
                add(row, state);
            }
        }
        word_column(&states)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        A::results(self.constant, &emit_to.take_needed(&mut self.states))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.states.capacity() * size_of::<A::State>()
    }
}

fn is_wanted(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn word_field() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Int64, false))
}

fn word_count<S: GroupState>() -> i32 {
    i32::try_from(S::WORDS).unwrap_or(i32::MAX)
}

fn word_column<S: GroupState>(states: &[S]) -> Result<Vec<ArrayRef>> {
    let words: Vec<S::Words> = states.iter().map(S::to_words).collect();
    let words = words
        .iter()
        .flat_map(|words| words.as_ref().iter().copied());
    let words = Arc::new(words.collect::<Int64Array>());
    let column = FixedSizeListArray::try_new(word_field(), word_count::<S>(), words, None)?;
    Ok(vec![Arc::new(column)])
}

/// A field of a result, and where its value is.
pub(crate) type ResultField<R> = (&'static str, Value<R>);

/// Reads a value of a result.
pub(crate) enum Value<R> {
    /// A double.
    Number(fn(&R) -> Option<f64>),
    /// A whole number.
    Count(fn(&R) -> u64),
}

/// The type of results with these fields.
pub(crate) fn result_struct<R>(fields: &[ResultField<R>]) -> DataType {
    let field = |(name, value): &ResultField<R>| match value {
        Value::Number(_) => Field::new(*name, DataType::Float64, true),
        Value::Count(_) => Field::new(*name, DataType::Int64, true),
    };
    DataType::Struct(fields.iter().map(field).collect())
}

/// Results as structs; `None` as NULL.
///
/// # Errors
/// Those of Arrow.
pub(crate) fn result_column<R>(
    fields: &[ResultField<R>],
    results: &[Option<R>],
) -> Result<ArrayRef> {
    let columns = fields.iter().map(|(_, value)| -> ArrayRef {
        let results = results.iter().map(Option::as_ref);
        match value {
            Value::Number(of) => Arc::new(
                results
                    .map(|result| result.and_then(of))
                    .collect::<Float64Array>(),
            ),
            Value::Count(of) => Arc::new(
                results
                    .map(|result| result.map(|result| of(result).cast_signed()))
                    .collect::<Int64Array>(),
            ),
        }
    });
    let is_known: Vec<bool> = results.iter().map(Option::is_some).collect();
    let struct_fields = match result_struct(fields) {
        DataType::Struct(fields) => fields,
        _ => Fields::empty(),
    };
    let column = StructArray::try_new(struct_fields, columns.collect(), Some(is_known.into()))?;
    Ok(Arc::new(column))
}
