//! `purchase_history(purchased_on, value, as_of_date[, holdout_days])`: what the models need to
//! know about a customer.

mod groups;
mod money;

use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion_common::{Result, ScalarValue, exec_datafusion_err, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{
    AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs,
};
use datafusion_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature};

use self::groups::HistoryGroups;
use self::money::{Decimals, Doubles, Money, decimal_scale};
use crate::args::{
    DATE, NUMBER, Parameters, WHOLE_NUMBER, check_constant_while_planning, constant_argument,
};
use crate::single_group::SingleGroup;

/// The SQL function.
pub(crate) fn purchase_history() -> AggregateUDF {
    AggregateUDF::from(PurchaseHistory {
        signature: PARAMETERS.signature(),
    })
}

const PARAMETERS: Parameters = Parameters::new(
    "purchase_history",
    &[
        ("purchased_on", DATE),
        ("value", NUMBER),
        ("as_of_date", DATE),
        ("holdout_days", WHOLE_NUMBER),
    ],
)
.with_optional(1);

/// Where `holdout_days` stands.
const HOLDOUT_DAYS: usize = 3;

/// Fields of the result without `holdout_days`.
const PLAIN_FIELDS: usize = 12;

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "A customer's history as a struct: purchase_days (days with a purchase), \
         repeat_purchases (those after the first), first_purchase_on, last_purchase_on, \
         recency_days (first to last purchase), age_days (first purchase to as_of_date), \
         days_since_last_purchase, total_value, mean_value (of a purchase day), \
         mean_repeat_value (of the purchase days after the first; NULL without any), purchases \
         (rows that count) and exact_total (total_value as a decimal of 38 digits, where values \
         are no floats). Several rows of one day are one purchase, in whatever order they \
         arrive. Decimal and whole values are summed exactly, doubles in twice their precision. \
         Rows after as_of_date are ignored; so are rows with a NULL and values that are not \
         finite. A group without purchases gives NULL. With holdout_days the struct also has \
         previous_purchase_on (the purchase day before the last), purchase_months (the calendar \
         months with a purchase, counted from January 1970), calibration_purchase_days and \
         calibration_last_purchase_on (of the days before the last holdout_days days up to \
         as_of_date).",
        "purchase_history(purchased_on, value, as_of_date[, holdout_days])",
    )
    .with_argument("purchased_on", "The day of the purchase, a date.")
    .with_argument("value", "What the purchase is worth, a number of any type.")
    .with_argument(
        "as_of_date",
        "The last day to look at, a date, the same in all rows of a group; else the latest counts.",
    )
    .with_argument(
        "holdout_days",
        "Days at the end that models are judged by, a constant from 0 on.",
    )
    .with_sql_example(
        "select customer_id, purchase_history(purchased_on, value, date '2026-03-31') as history \
         from (values (1, date '2026-01-05', 20.0), (1, date '2026-02-14', 35.0), \
         (2, date '2026-03-01', 12.5)) as orders (customer_id, purchased_on, value) \
         group by customer_id order by customer_id",
    )
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct PurchaseHistory {
    signature: Signature,
}

impl AggregateUDFImpl for PurchaseHistory {
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
        let has_holdout = types.len() > HOLDOUT_DAYS;
        let total = match decimal_scale(&types[1]) {
            Some(scale) => Decimals { scale }.data_type(),
            None => Doubles.data_type(),
        };
        Ok(DataType::Struct(result_fields(total, has_holdout)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        PARAMETERS.check_not_distinct(&args)?;
        Ok(match decimal_scale(args.input_fields[1].data_type()) {
            Some(scale) => state_fields(args.name, &Decimals { scale }),
            None => state_fields(args.name, &Doubles),
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let holdout_days = holdout_of(&args)?;
        Ok(match decimal_scale(args.expr_fields[1].data_type()) {
            Some(scale) => {
                let groups = HistoryGroups::of_one(Decimals { scale }, holdout_days)?;
                Box::new(SingleGroup::new(groups))
            }
            None => Box::new(SingleGroup::new(HistoryGroups::of_one(
                Doubles,
                holdout_days,
            )?)),
        })
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let holdout_days = holdout_of(&args)?;
        Ok(match decimal_scale(args.expr_fields[1].data_type()) {
            Some(scale) => Box::new(HistoryGroups::new(Decimals { scale }, holdout_days)),
            None => Box::new(HistoryGroups::new(Doubles, holdout_days)),
        })
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        let check = |value: Option<&ScalarValue>| holdout_days(value).map(drop);
        Some(check_constant_while_planning(HOLDOUT_DAYS, check))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// The constant `holdout_days`, where there is one.
fn holdout_of(args: &AccumulatorArgs) -> Result<Option<i32>> {
    if args.exprs.len() <= HOLDOUT_DAYS {
        return Ok(None);
    }
    holdout_days(constant_argument(args, HOLDOUT_DAYS).as_ref()).map(Some)
}

fn holdout_days(days: Option<&ScalarValue>) -> Result<i32> {
    let Some(days) = days else {
        return plan_err!(
            "purchase_history: argument 4 (holdout_days) must be a constant, but is a column; \
             write a number"
        );
    };
    match days.cast_to(&DataType::Int32) {
        Ok(ScalarValue::Int32(Some(days))) if days >= 0 => Ok(days),
        _ => plan_err!(
            "purchase_history: argument 4 (holdout_days) must be from 0 to 2147483647, \
             but is {days}"
        ),
    }
}

/// `total` is the type of a sum of values.
fn result_fields(total: DataType, has_holdout: bool) -> Fields {
    let fields = [
        ("purchase_days", DataType::Int64),
        ("repeat_purchases", DataType::Int64),
        ("first_purchase_on", DataType::Date32),
        ("last_purchase_on", DataType::Date32),
        ("recency_days", DataType::Int64),
        ("age_days", DataType::Int64),
        ("days_since_last_purchase", DataType::Int64),
        ("total_value", DataType::Float64),
        ("mean_value", DataType::Float64),
        ("mean_repeat_value", DataType::Float64),
        ("purchases", DataType::Int64),
        ("exact_total", total),
        // with holdout_days
        ("previous_purchase_on", DataType::Date32),
        ("purchase_months", DataType::new_list(DataType::Int64, true)),
        ("calibration_purchase_days", DataType::Int64),
        ("calibration_last_purchase_on", DataType::Date32),
    ];
    let count = if has_holdout {
        fields.len()
    } else {
        PLAIN_FIELDS
    };
    fields
        .into_iter()
        .take(count)
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect()
}

/// Days, `as_of_date`, purchases, and the parts of the total and of the first day's value.
fn state_fields<M: Money>(name: &str, money: &M) -> Vec<FieldRef> {
    let field = |part: &str, data_type| -> FieldRef {
        Arc::new(Field::new(format_state_name(name, part), data_type, true))
    };
    let mut fields = vec![
        field("days", DataType::new_list(DataType::Int32, true)),
        field("as_of_date", DataType::Date32),
        field("purchases", DataType::UInt32),
    ];
    for value in ["total", "first_value"] {
        for part in 0..M::PARTS {
            fields.push(field(&format!("{value}_{part}"), money.data_type()));
        }
    }
    fields
}

fn function_error(error: &loyalake_core::Error) -> datafusion_common::DataFusionError {
    exec_datafusion_err!("{}: {error}", PARAMETERS.function())
}
