//! `simulated_orders(customer_id, seed, days, …)`: the orders of one simulated customer.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{
    ArrayRef, Decimal128Builder, Int64Builder, ListArray, StructArray, TimestampMicrosecondBuilder,
};
use datafusion_common::arrow::buffer::OffsetBuffer;
use datafusion_common::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::btyd::simulate::Shop;

use crate::args::{
    NUMBER, Numbers, Parameters, WHOLE_NUMBER, WholeNumbers, evaluate, float64, int64,
};

/// The SQL function.
pub(super) fn simulated_orders() -> ScalarUDF {
    ScalarUDF::from(SimulatedOrders {
        signature: PARAMETERS.signature(),
    })
}

/// For how many days a shop can have been open.
pub(super) const MOST_DAYS: f64 = 36_525.0;
/// 2024-01-01 00:00:00 UTC, the day the shop opens, in microseconds.
const OPENING: i64 = 1_704_067_200_000_000;
const MICROSECONDS_PER_DAY: f64 = 86_400e6;
/// The number of a customer's first order is the customer's times this; nobody has more orders.
const ORDERS_PER_CUSTOMER: i64 = 1_000_000;

const PARAMETERS: Parameters = Parameters::new(
    "simulated_orders",
    &[
        ("customer_id", WHOLE_NUMBER),
        ("seed", WHOLE_NUMBER),
        ("days", NUMBER),
        ("r", NUMBER),
        ("alpha", NUMBER),
        ("a", NUMBER),
        ("b", NUMBER),
        ("p", NUMBER),
        ("q", NUMBER),
        ("v", NUMBER),
    ],
);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The orders of one customer of simulate_purchases, as a list of structs: order_id, \
         ordered_at, gross_amount. Parameters out of their domain give NULL.",
        "simulated_orders(customer_id, seed, days, r, alpha, a, b, p, q, v)",
    )
    .with_argument("customer_id", "The customer's number.")
    .with_argument("seed", "Any whole number.")
    .with_argument("days", "For how many days the shop has been open.")
    .with_argument("r, alpha, a, b", "Parameters of bg_nbd, time in days.")
    .with_argument("p, q, v", "Parameters of gamma_gamma.")
    .with_sql_example(
        "select simulated_orders(1, 42, 365, 0.8, 60, 0.8, 4, 6.25, 3.74, 15.44) as orders",
    )
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct SimulatedOrders {
    signature: Signature,
}

impl ScalarUDFImpl for SimulatedOrders {
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
        Ok(DataType::new_list(DataType::Struct(order_fields()), true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let customers = WholeNumbers::decode(&args[0], int64)?;
            let seeds = WholeNumbers::decode(&args[1], int64)?;
            let knobs = args[2..].iter().map(|arg| Numbers::decode(arg, float64));
            let knobs = knobs.collect::<Result<Vec<_>>>()?;
            let mut orders = Orders::default();
            for row in 0..rows {
                let customer = customers
                    .get(row)
                    .zip(seeds.get(row))
                    .zip(shop(&knobs, row));
                let Some(((customer, seed), (days, shop))) = customer else {
                    orders.append_null();
                    continue;
                };
                orders.append(customer, seed, days, &shop);
            }
            orders.finish()
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// The days and the shop of a row, when all is in its domain.
fn shop(knobs: &[Numbers], row: usize) -> Option<(f64, Shop)> {
    let mut values = [0.0; 8];
    for (value, column) in values.iter_mut().zip(knobs) {
        *value = column.get(row)?;
    }
    let [days, r, alpha, a, b, p, q, v] = values;
    let shop = Shop {
        purchases: [r, alpha, a, b],
        spend: [p, q, v],
    };
    let is_possible = days > 0.0 && days <= MOST_DAYS && shop.check().is_ok();
    is_possible.then_some((days, shop))
}

fn order_fields() -> Fields {
    Fields::from(vec![
        Field::new("order_id", DataType::Int64, true),
        Field::new(
            "ordered_at",
            DataType::Timestamp(TimeUnit::Microsecond, None),
            true,
        ),
        Field::new("gross_amount", MONEY, true),
    ])
}

const MONEY: DataType = DataType::Decimal128(18, 4);
/// The decimals of `MONEY` in a cent.
const UNITS_PER_CENT: i128 = 100;

/// Lists of orders, column by column.
#[derive(Default)]
struct Orders {
    ids: Int64Builder,
    times: TimestampMicrosecondBuilder,
    amounts: Vec<i128>,
    lengths: Vec<usize>,
    is_known: Vec<bool>,
}

impl Orders {
    fn append_null(&mut self) {
        self.lengths.push(0);
        self.is_known.push(false);
    }

    fn append(&mut self, customer: i64, seed: i64, days: f64, shop: &Shop) {
        let purchases = shop.customer(seed.cast_unsigned(), customer.cast_unsigned(), days);
        let ids = customer.wrapping_mul(ORDERS_PER_CUSTOMER)..;
        let before = self.amounts.len();
        let most = usize::try_from(ORDERS_PER_CUSTOMER).unwrap_or(usize::MAX);
        for (id, purchase) in ids.zip(purchases).take(most) {
            self.ids.append_value(id);
            self.times
                .append_value(OPENING + truncated(purchase.day * MICROSECONDS_PER_DAY));
            let cents = truncated((100.0 * purchase.value).clamp(1.0, 1e15));
            self.amounts.push(i128::from(cents) * UNITS_PER_CENT);
        }
        self.lengths.push(self.amounts.len() - before);
        self.is_known.push(true);
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let mut amounts =
            Decimal128Builder::with_capacity(self.amounts.len()).with_data_type(MONEY);
        amounts.append_slice(&self.amounts);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ids.finish()),
            Arc::new(self.times.finish()),
            Arc::new(amounts.finish()),
        ];
        let orders = StructArray::try_new(order_fields(), columns, None)?;
        let item = Field::new_list_field(DataType::Struct(order_fields()), true);
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let nulls = Some(self.is_known.into());
        Ok(Arc::new(ListArray::try_new(
            item.into(),
            offsets,
            Arc::new(orders),
            nulls,
        )?))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "microseconds of 100 years, cents up to 1e15"
)]
fn truncated(number: f64) -> i64 {
    number as i64
}
