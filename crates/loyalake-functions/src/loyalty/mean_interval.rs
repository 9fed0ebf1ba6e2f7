//! `mean_interval(value, confidence)`: a mean and how well it is known.

use std::sync::LazyLock;

use datafusion_common::arrow::array::{Array, ArrayRef};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use datafusion_expr::function::{AccumulatorArgs, AggregateFunctionSimplification};
use loyalake_core::exact_sum::ExactSum;
use loyalake_core::loyalty::mean_interval::{MeanInterval as Output, MeanIntervals, Moments};

use crate::args::{NUMBER, Parameters, check_constant_while_planning, constant_argument, float64};
use crate::group_aggregate::{
    GroupAggregate, GroupState, ResultField, Value, result_column, result_struct,
};

/// The SQL function.
pub(crate) fn mean_interval() -> AggregateUDF {
    MeanInterval.udaf()
}

static DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "The mean and Student's interval for it, as a struct: mean, responses, ci_low, ci_high: \
         mean ± t s / √n with t the (1 + confidence) / 2 quantile of n − 1 degrees of freedom. \
         The result depends on the values alone, to the last bit, never on their order or on \
         partitions. NULL, NaN and infinite values are skipped; a single value has no interval \
         (ci_low and ci_high NULL), a group without values gives NULL.",
        "mean_interval(value, confidence)",
    )
    .with_argument("value", "A number.")
    .with_argument("confidence", "A constant between 0 and 1, 0.95 for instance.")
    .with_sql_example(
        "select mean_interval(answer, 0.95) as mean from (values (7), (9), (10)) as t (answer)",
    )
    .with_related_udf("wilson_interval")
    .with_related_udf("decayed_mean")
    .build()
    });

const FIELDS: [ResultField<Output>; 4] = [
    ("mean", Value::Number(|interval| Some(interval.mean))),
    ("responses", Value::Count(|interval| interval.responses)),
    (
        "ci_low",
        Value::Number(|interval| interval.ends.map(|(low, _)| low)),
    ),
    (
        "ci_high",
        Value::Number(|interval| interval.ends.map(|(_, high)| high)),
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct MeanInterval;

impl GroupAggregate for MeanInterval {
    type State = Moments;
    type Constant = f64;
    const PARAMETERS: Parameters = Parameters::new(
        "mean_interval",
        &[("value", NUMBER), ("confidence", NUMBER)],
    );

    fn documentation(&self) -> &'static Documentation {
        &DOCUMENTATION
    }

    fn constant(args: &AccumulatorArgs) -> Result<f64> {
        confidence(constant_argument(args, 1).as_ref())
    }

    fn simplify() -> Option<AggregateFunctionSimplification> {
        Some(check_constant_while_planning(1, |value| {
            confidence(value).map(drop)
        }))
    }

    fn result_type() -> DataType {
        result_struct(&FIELDS)
    }

    fn rows(columns: &[ArrayRef]) -> Result<impl Fn(usize, &mut Moments) + use<>> {
        let values = float64(&columns[0])?;
        Ok(move |row, moments: &mut Moments| {
            if values.is_valid(row) {
                moments.update(values.value(row));
            }
        })
    }

    fn results(confidence: f64, states: &[Moments]) -> Result<ArrayRef> {
        let mut intervals = MeanIntervals::new(confidence);
        let output: Vec<_> = states
            .iter()
            .map(|moments| intervals.finish(moments))
            .collect();
        result_column(&FIELDS, &output)
    }
}

fn confidence(value: Option<&ScalarValue>) -> Result<f64> {
    let Some(value) = value else {
        return plan_err!(
            "mean_interval: argument 2 (confidence) must be a constant, but is a column; write a \
             number"
        );
    };
    match value.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(confidence)) if confidence > 0.0 && confidence < 1.0 => {
            Ok(confidence)
        }
        _ => plan_err!(
            "mean_interval: argument 2 (confidence) must be between 0 and 1, but is {value}; \
             write 0.95 for 95 percent"
        ),
    }
}

impl GroupState for Moments {
    type Words = [i64; 1 + 2 * ExactSum::WORDS];
    const WORDS: usize = 1 + 2 * ExactSum::WORDS;

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn to_words(&self) -> Self::Words {
        let mut words = [0; 1 + 2 * ExactSum::WORDS];
        words[0] = self.count.cast_signed();
        words[1..=ExactSum::WORDS].copy_from_slice(&self.sum.to_words());
        words[1 + ExactSum::WORDS..].copy_from_slice(&self.squares.to_words());
        words
    }

    fn from_words(words: &[i64]) -> Option<Self> {
        let (count, sums) = words.split_first()?;
        let (sum, squares) = sums.split_first_chunk()?;
        Some(Self {
            count: count.cast_unsigned(),
            sum: ExactSum::from_words(*sum),
            squares: ExactSum::from_words(squares.try_into().ok()?),
        })
    }
}
