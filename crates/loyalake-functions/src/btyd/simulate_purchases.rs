//! `simulate_purchases(customers, days, seed [, parameters])`: orders of simulated customers.
//!
//! The table is a view: a series of customers, for each the list of orders that `simulated_orders`
//! computes from the customer's number and the seed. So it streams, runs on all cores, and does not
//! depend on how it is split.

use std::sync::{Arc, LazyLock};

use datafusion_catalog::default_table_source::provider_as_source;
use datafusion_catalog::view::ViewTable;
use datafusion_catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::arrow::array::{
    ArrayRef, Decimal128Builder, Int64Builder, ListArray, StructArray, TimestampMicrosecondBuilder,
};
use datafusion_common::arrow::buffer::OffsetBuffer;
use datafusion_common::arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use datafusion_common::{Column, Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, col, lit,
};
use datafusion_functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use loyalake_core::btyd::simulate::Shop;
use loyalake_core::btyd::{bg_nbd, gamma_gamma};

use crate::args::{
    NUMBER, Numbers, Parameters, WHOLE_NUMBER, WholeNumbers, evaluate, float64, int64,
};

/// The table function and its documentation.
pub(super) fn simulate_purchases() -> (Arc<TableFunction>, Documentation) {
    let function = TableFunction::new(NAME.to_string(), Arc::new(SimulatePurchases));
    (Arc::new(function), documentation())
}

/// The SQL function that simulates one customer.
pub(super) fn simulated_orders() -> ScalarUDF {
    ScalarUDF::from(SimulatedOrders {
        signature: PARAMETERS.signature(),
    })
}

const NAME: &str = "simulate_purchases";

/// Parameters of the models when none are given: a purchase every 75 days, values around 35.
const SHOP: Shop = Shop {
    purchases: [0.8, 60.0, 0.8, 4.0],
    spend: [6.25, 3.74, 15.44],
};

/// 2024-01-01 00:00:00 UTC, the day the shop opens, in microseconds.
const OPENING: i64 = 1_704_067_200_000_000;
const MICROSECONDS_PER_DAY: f64 = 86_400e6;
const MOST_DAYS: f64 = 36_525.0;
/// The number of a customer's first order is the customer's times this; nobody has more orders.
const ORDERS_PER_CUSTOMER: i64 = 1_000_000;
const MOST_CUSTOMERS: i64 = 1_000_000_000_000;

fn documentation() -> Documentation {
    Documentation::builder(
        super::SECTION,
        "Orders of simulated customers whose true parameters are known, for trials, tests and \
         benchmarks: order_id, customer_id (1 to customers), ordered_at, status ('paid'), \
         gross_amount. The shop opens on 2024-01-01; first purchases fall on any moment of the \
         days alike; repeat purchases follow the BG/NBD model (time in days), values the \
         Gamma-Gamma model. The same arguments give the same rows, in any order. The table may \
         be used like the source orders.",
        "simulate_purchases(customers, days, seed [, r, alpha, a, b [, p, q, v]])",
    )
    .with_argument("customers", "How many customers, a whole number above 0.")
    .with_argument(
        "days",
        "For how many days the shop has been open, up to 36525.",
    )
    .with_argument("seed", "Any whole number.")
    .with_argument(
        "r, alpha, a, b",
        "Parameters of bg_nbd; 0.8, 60, 0.8, 4 when left out.",
    )
    .with_argument(
        "p, q, v",
        "Parameters of gamma_gamma; 6.25, 3.74, 15.44 when left out.",
    )
    .with_sql_example("select * from simulate_purchases(2, 365, 42) order by order_id")
    .build()
}

#[derive(Debug)]
struct SimulatePurchases;

impl TableFunctionImpl for SimulatePurchases {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let simulation = Simulation::try_new(args.exprs())?;
        Ok(Arc::new(ViewTable::new(simulation.plan()?, None)))
    }
}

/// The checked arguments.
struct Simulation {
    customers: i64,
    days: f64,
    seed: i64,
    shop: Shop,
}

impl Simulation {
    fn try_new(args: &[Expr]) -> Result<Self> {
        if ![3, 7, 10].contains(&args.len()) {
            return plan_err!(
                "{NAME}: {} arguments given, but 3, 7 or 10 needed; write {NAME}(customers, \
                 days, seed [, r, alpha, a, b [, p, q, v]])",
                args.len()
            );
        }
        let numbers = args
            .iter()
            .enumerate()
            .map(|(position, arg)| number(position, arg));
        let numbers = numbers.collect::<Result<Vec<f64>>>()?;
        let mut shop = SHOP;
        if let Some(purchases) = numbers.get(3..7) {
            shop.purchases.copy_from_slice(purchases);
        }
        if let Some(spend) = numbers.get(7..10) {
            shop.spend.copy_from_slice(spend);
        }
        check_shop(&shop)?;
        let (customers, days, seed) = (whole(0, &args[0])?, numbers[1], whole(2, &args[2])?);
        if !(1..=MOST_CUSTOMERS).contains(&customers) {
            return plan_err!(
                "{NAME}: argument 1 (customers) must be from 1 to {MOST_CUSTOMERS}, but is \
                 {customers}"
            );
        }
        if !(days > 0.0 && days <= MOST_DAYS) {
            return plan_err!(
                "{NAME}: argument 2 (days) must be above 0 and up to {MOST_DAYS}, but is {days}"
            );
        }
        Ok(Self {
            customers,
            days,
            seed,
            shop,
        })
    }

    /// Customers, their lists of orders, one order a row.
    fn plan(&self) -> Result<LogicalPlan> {
        let schema = Schema::new(vec![Field::new("customer_id", DataType::Int64, false)]);
        let series = GenSeriesArgs::Int64Args {
            start: 1,
            end: self.customers,
            step: 1,
            include_end: true,
            name: "generate_series",
        };
        let customers = Arc::new(GenerateSeriesTable::new(Arc::new(schema), series));
        let knobs = [
            vec![self.days],
            self.shop.purchases.to_vec(),
            self.shop.spend.to_vec(),
        ]
        .concat();
        let mut args = vec![col("customer_id"), lit(self.seed)];
        args.extend(knobs.into_iter().map(lit));
        let field = |name: &str| {
            let qualified = Column::new_unqualified(format!("order.{name}"));
            Expr::Column(qualified).alias(name)
        };
        LogicalPlanBuilder::scan("customers", provider_as_source(customers), None)?
            .project(vec![
                col("customer_id"),
                simulated_orders().call(args).alias("order"),
            ])?
            .unnest_column("order")?
            .unnest_column("order")?
            .project(vec![
                field("order_id"),
                col("customer_id"),
                field("ordered_at"),
                lit("paid").alias("status"),
                field("gross_amount"),
            ])?
            .build()
    }
}

fn literal(position: usize, arg: &Expr) -> Result<&ScalarValue> {
    match arg {
        Expr::Literal(value, _) if !value.is_null() => Ok(value),
        _ => plan_err!(
            "{NAME}: argument {} must be a constant that is not null, but is {arg}; write a number",
            position + 1
        ),
    }
}

fn number(position: usize, arg: &Expr) -> Result<f64> {
    match literal(position, arg)?.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(number))) => Ok(number),
        _ => plan_err!(
            "{NAME}: argument {} must be a number, but is {arg}",
            position + 1
        ),
    }
}

fn whole(position: usize, arg: &Expr) -> Result<i64> {
    let value = literal(position, arg)?;
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(Some(whole))) if value.data_type().is_integer() => Ok(whole),
        _ => plan_err!(
            "{NAME}: argument {} must be a whole number, but is {arg}",
            position + 1
        ),
    }
}

fn check_shop(shop: &Shop) -> Result<()> {
    let purchases = bg_nbd::MODEL.check(&shop.purchases);
    let spend = gamma_gamma::MODEL.check(&shop.spend);
    match purchases.and(spend) {
        Ok(()) => Ok(()),
        Err(error) => plan_err!("{NAME}: {error}"),
    }
}

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
    let is_possible = days > 0.0 && days <= MOST_DAYS && check_shop(&shop).is_ok();
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
