//! `quantile_cuts(value, k[, count])`: cut points that divide values into k parts of equal size.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use datafusion_common::arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::rfm::quantile_cuts as core;
use loyalake_core::tally::Bucket;

use crate::args::{
    NUMBER, Parameters, WHOLE_NUMBER, check_constant_while_planning, constant_argument,
};
use crate::counts::{COUNT, COUNT_DOCUMENTATION};
use crate::tally::{TallyAccumulator, tally_fields};

/// The SQL function.
pub(crate) fn quantile_cuts() -> AggregateUDF {
    AggregateUDF::from(QuantileCuts {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "quantile_cuts",
    &[("value", NUMBER), ("k", WHOLE_NUMBER), COUNT],
)
.with_optional(1);

const PARTS: RangeInclusive<i64> = 2..=10_000;

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The k − 1 quantiles at 1/k, 2/k, … as an ascending list: definition 7 of Hyndman and Fan, \
         the default of R and numpy. Exact up to 262,144 distinct values in a group. Beyond, \
         neighbouring values are counted together and stand for the smallest of them: a cut is \
         then too low by at most D / 131,072 of its value, where D is the number of doublings that \
         the absolute values span (0.01 to 1,000,000: 27), and its rank is off by at most the \
         share of rows that are counted together. The result depends on the values alone, never on \
         the order of rows or on partitions. NULL, NaN and infinite values are skipped; a group \
         without values gives NULL.",
        "quantile_cuts(value, k[, count])",
    )
    .with_argument("value", "A number.")
    .with_argument("k", "Number of parts, a constant from 2 to 10,000.")
    .with_argument(COUNT.0, COUNT_DOCUMENTATION)
    .with_sql_example(
        "select quantile_cuts(spend, 4) as cuts \
         from (values (15), (20), (35), (40), (50)) as t (spend)",
    )
    .with_related_udf("score_bin")
    .with_related_udf("percent_score")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct QuantileCuts {
    signature: Signature,
}

impl AggregateUDFImpl for QuantileCuts {
    fn name(&self) -> &str {
        PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        PARAMETERS.check(types)?;
        Ok(DataType::new_list(DataType::Float64, true))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        PARAMETERS.check_not_distinct(&args)?;
        Ok(tally_fields(args.name, ""))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let k = parts(constant_argument(&args, 1).as_ref())?;
        let result = move |buckets: &[Bucket]| cuts(buckets, k);
        let tally = TallyAccumulator::new(PARAMETERS.function(), result);
        Ok(Box::new(tally.counted_at(2)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(check_constant_while_planning(1, |k| parts(k).map(drop)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn parts(k: Option<&ScalarValue>) -> Result<usize> {
    let Some(k) = k else {
        return plan_err!(
            "quantile_cuts: argument 2 (k) must be a constant, but is a column; write a number"
        );
    };
    match k.cast_to(&DataType::Int64)? {
        ScalarValue::Int64(Some(parts)) if PARTS.contains(&parts) => {
            Ok(usize::try_from(parts).unwrap_or_default())
        }
        _ => plan_err!("quantile_cuts: argument 2 (k) must be from 2 to 10000, but is {k}"),
    }
}

fn cuts(buckets: &[Bucket], k: usize) -> ScalarValue {
    let cuts = core::quantile_cuts(buckets, k);
    let item = DataType::Float64;
    match cuts {
        Some(cuts) => {
            let cuts: Vec<_> = cuts.into_iter().map(ScalarValue::from).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&cuts, &item))
        }
        None => ScalarValue::new_null_list(item, true, 1),
    }
}
