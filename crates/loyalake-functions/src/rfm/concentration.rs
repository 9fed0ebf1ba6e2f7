//! `gini(value)` and `top_share(value, share)`: how unequally a value is distributed.

use std::sync::LazyLock;

use datafusion_common::arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::rfm::concentration as core;

use crate::args::{NUMBER, Parameters, check_constant_while_planning, constant_argument};
use crate::tally::{TallyAccumulator, tally_fields};

/// The SQL function `gini`.
pub(crate) fn gini() -> AggregateUDF {
    AggregateUDF::from(Gini {
        signature: GINI_PARAMETERS.signature(),
    })
}

/// The SQL function `top_share`.
pub(crate) fn top_share() -> AggregateUDF {
    AggregateUDF::from(TopShare {
        signature: TOP_PARAMETERS.signature(),
    })
}

const GINI_PARAMETERS: Parameters = Parameters::new("gini", &[("value", NUMBER)]);
const TOP_PARAMETERS: Parameters =
    Parameters::new("top_share", &[("value", NUMBER), ("share", NUMBER)]);

const VALUE: &str = "A number. NULL, NaN and infinite values are skipped. Exact up to 262,144 \
                     distinct values in a group; beyond, values are rounded down as in \
                     quantile_cuts.";

static GINI_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The Gini coefficient: 0 when all values are equal, (n − 1) / n when one of n has \
         everything. Negative values count as they are and can lift it above 1. NULL for a group \
         without values or with a total that is not above 0.",
        "gini(value)",
    )
    .with_argument("value", VALUE)
    .with_sql_example("select gini(spend) as gini from (values (1), (2), (3), (4)) as t (spend)")
    .with_related_udf("top_share")
    .build()
});

static TOP_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        Documentation::builder(
        super::SECTION,
        "The share of the total that the highest rows have: top_share(spend, 0.2) is 0.8 when the \
         best fifth of customers makes four fifths of the spend. A row that belongs to the top in \
         part counts in part. NULL for a group without values or with a total that is not above \
         0.",
        "top_share(value, share)",
    )
    .with_argument("value", VALUE)
    .with_argument("share", "Share of the rows, a constant above 0 and up to 1.")
    .with_sql_example(
        "select top_share(spend, 0.25) as share from (values (1), (1), (2), (6)) as t (spend)",
    )
    .with_related_udf("gini")
    .build()
    });

#[derive(Debug, PartialEq, Eq, Hash)]
struct Gini {
    signature: Signature,
}

impl AggregateUDFImpl for Gini {
    fn name(&self) -> &str {
        GINI_PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        GINI_PARAMETERS.check(types)?;
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        GINI_PARAMETERS.check_not_distinct(&args)?;
        Ok(tally_fields(args.name, ""))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let result = |buckets: &_| ScalarValue::Float64(core::gini(buckets));
        Ok(Box::new(TallyAccumulator::new(
            GINI_PARAMETERS.function(),
            result,
        )))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&GINI_DOCUMENTATION)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TopShare {
    signature: Signature,
}

impl AggregateUDFImpl for TopShare {
    fn name(&self) -> &str {
        TOP_PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        TOP_PARAMETERS.check(types)?;
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        TOP_PARAMETERS.check_not_distinct(&args)?;
        Ok(tally_fields(args.name, ""))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let share = share(constant_argument(&args, 1).as_ref())?;
        let result = move |buckets: &_| ScalarValue::Float64(core::top_share(buckets, share));
        Ok(Box::new(TallyAccumulator::new(
            TOP_PARAMETERS.function(),
            result,
        )))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(check_constant_while_planning(1, |value| {
            share(value).map(drop)
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&TOP_DOCUMENTATION)
    }
}

fn share(value: Option<&ScalarValue>) -> Result<f64> {
    let Some(value) = value else {
        return plan_err!(
            "top_share: argument 2 (share) must be a constant, but is a column; write a number"
        );
    };
    match value.cast_to(&DataType::Float64)? {
        ScalarValue::Float64(Some(share)) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => plan_err!(
            "top_share: argument 2 (share) must be above 0 and up to 1, but is {value}; write 0.2 \
             for 20 percent"
        ),
    }
}
