//! `simulate_purchases(customers, days, seed [, parameters])`: orders of simulated customers.
//!
//! The table is a view: a series of customers, for each the list of orders that `simulated_orders`
//! computes from the customer's number and the seed. So it streams, runs on all cores, and does not
//! depend on how it is split.

use std::sync::Arc;

use datafusion_catalog::default_table_source::provider_as_source;
use datafusion_catalog::view::ViewTable;
use datafusion_catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{Column, Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion_functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use loyalake_core::btyd::simulate::Shop;

use super::simulated_orders::{MOST_DAYS, simulated_orders};

/// The table function and its documentation.
pub(super) fn simulate_purchases() -> (Arc<TableFunction>, Documentation) {
    let function = TableFunction::new(NAME.to_string(), Arc::new(SimulatePurchases));
    (Arc::new(function), documentation())
}

const NAME: &str = "simulate_purchases";

/// Parameters of the models when none are given: a purchase every 75 days, values around 35.
const SHOP: Shop = Shop {
    purchases: [0.8, 60.0, 0.8, 4.0],
    spend: [6.25, 3.74, 15.44],
};

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
        if let Err(error) = shop.check() {
            return plan_err!("{NAME}: {error}");
        }
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
    if let Ok(ScalarValue::Float64(Some(number))) =
        literal(position, arg)?.cast_to(&DataType::Float64)
    {
        Ok(number)
    } else {
        plan_err!(
            "{NAME}: argument {} must be a number, but is {arg}",
            position + 1
        )
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
