//! `decayed_mean(value, on, as_of_date, half_life_days)`: a mean that forgets.

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use datafusion_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use loyalake_core::exact_sum::ExactSum;
use loyalake_core::loyalty::decayed_mean::DecayedMean as State;

use crate::args::{DATE, NUMBER, Parameters, check_constant_while_planning, date32, float64};
use crate::group_aggregate::{GroupAggregate, GroupState};

/// The SQL function.
pub(crate) fn decayed_mean() -> AggregateUDF {
    DecayedMean.udaf()
}

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "A mean in which recent values weigh more: the weight of a value halves with every \
         half_life_days that it is older, Σ v w / Σ w with w = 2^(−age / half-life). Weights are \
         relative: when all values are old the newest of them still weigh most. The result \
         depends on the rows alone, to the last bit, never on their order or on partitions. Rows \
         after as_of_date, rows with a NULL, values that are not finite, and half-lives that are \
         not finite and above 0 are ignored; a group without rows that count gives NULL.",
        "decayed_mean(value, on, as_of_date, half_life_days)",
    )
    .with_argument("value", "A number.")
    .with_argument("on", "The day of the value, a date.")
    .with_argument("as_of_date", "The last day to look at, a date.")
    .with_argument("half_life_days", "Days in which a weight halves, above 0.")
    .with_sql_example(
        "select decayed_mean(answer, answered_on, date '2026-03-31', 90) as mean \
         from (values (9, date '2026-03-31'), (3, date '2025-12-31')) as t (answer, answered_on)",
    )
    .with_related_udf("mean_interval")
    .build()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct DecayedMean;

impl GroupAggregate for DecayedMean {
    type State = State;
    type Constant = ();
    const PARAMETERS: Parameters = Parameters::new(
        "decayed_mean",
        &[
            ("value", NUMBER),
            ("on", DATE),
            ("as_of_date", DATE),
            ("half_life_days", NUMBER),
        ],
    );

    fn documentation(&self) -> &'static Documentation {
        &DOCUMENTATION
    }

    fn constant(_: &AccumulatorArgs) -> Result<()> {
        Ok(())
    }

    fn simplify() -> Option<AggregateFunctionSimplification> {
        Some(check_constant_while_planning(3, check_half_life))
    }

    fn result_type() -> DataType {
        DataType::Float64
    }

    fn rows(columns: &[ArrayRef]) -> Result<impl Fn(usize, &mut State) + use<>> {
        let (values, half_lives) = (float64(&columns[0])?, float64(&columns[3])?);
        let (days, as_of_dates) = (date32(&columns[1])?, date32(&columns[2])?);
        Ok(move |row, mean: &mut State| {
            let is_known = values.is_valid(row)
                && days.is_valid(row)
                && as_of_dates.is_valid(row)
                && half_lives.is_valid(row);
            if is_known {
                let age = i64::from(as_of_dates.value(row)) - i64::from(days.value(row));
                mean.update(values.value(row), age, half_lives.value(row));
            }
        })
    }

    fn results((): (), states: &[State]) -> Result<ArrayRef> {
        let means = states.iter().map(State::finish);
        Ok(Arc::new(means.collect::<Float64Array>()))
    }
}

/// A half-life of each row is fine: rows with a wrong one are ignored.
fn check_half_life(value: Option<&ScalarValue>) -> Result<()> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(());
    };
    match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(days))) if !(days > 0.0 && days.is_finite()) => plan_err!(
            "decayed_mean: argument 4 (half_life_days) must be above 0, but is {value}; write 90 \
             to halve a weight every 90 days"
        ),
        _ => Ok(()),
    }
}

impl GroupState for State {
    type Words = [i64; 2 * ExactSum::WORDS];
    const WORDS: usize = 2 * ExactSum::WORDS;

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn to_words(&self) -> Self::Words {
        let mut words = [0; 2 * ExactSum::WORDS];
        words[..ExactSum::WORDS].copy_from_slice(&self.values.to_words());
        words[ExactSum::WORDS..].copy_from_slice(&self.weights.to_words());
        words
    }

    fn from_words(words: &[i64]) -> Option<Self> {
        let (values, weights) = words.split_first_chunk()?;
        Some(Self {
            values: ExactSum::from_words(*values),
            weights: ExactSum::from_words(weights.try_into().ok()?),
        })
    }
}
