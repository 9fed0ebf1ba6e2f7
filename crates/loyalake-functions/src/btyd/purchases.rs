//! `btyd_log_likelihood` and `btyd_expected_purchases_new`, and what all functions of a fit and a
//! history share.

use std::sync::LazyLock;

use datafusion_common::Result;
use datafusion_doc::{Documentation, DocumentationBuilder};
use datafusion_expr::{ColumnarValue, ScalarUDF};
use loyalake_core::btyd::{History, Model, PurchaseModel};

use super::fit_value::{FIT, Prepared};
use crate::args::{Kind, NUMBER, Numbers, Parameters, float64};
use crate::number_function::NumberFunction;

/// The SQL function `btyd_expected_purchases_new`.
pub(super) fn btyd_expected_purchases_new() -> ScalarUDF {
    EXPECTED_PURCHASES_NEW.udf()
}

/// The SQL function `btyd_log_likelihood`.
pub(super) fn btyd_log_likelihood() -> ScalarUDF {
    LOG_LIKELIHOOD.udf()
}

pub(super) const FIT_ARGUMENT: (&str, Kind) = ("fit", FIT);
pub(super) const REPEAT_PURCHASES: (&str, Kind) = ("repeat_purchases", NUMBER);
pub(super) const RECENCY: (&str, Kind) = ("recency", NUMBER);
pub(super) const AGE: (&str, Kind) = ("age", NUMBER);
pub(super) const HORIZON: (&str, Kind) = ("horizon", NUMBER);

static LOG_LIKELIHOOD: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_log_likelihood",
        &[FIT_ARGUMENT, REPEAT_PURCHASES, RECENCY, AGE],
    ),
    bounded: &[],
    documentation: &LOG_LIKELIHOOD_DOCUMENTATION,
    compute: |function, args, rows| {
        each_history(function, args, rows, |model, history, _| {
            Some(model.log_likelihood(history))
        })
    },
};

static EXPECTED_PURCHASES_NEW: NumberFunction = NumberFunction {
    parameters: Parameters::new("btyd_expected_purchases_new", &[FIT_ARGUMENT, HORIZON]),
    bounded: &[(1, "horizon", f64::INFINITY)],
    documentation: &EXPECTED_PURCHASES_NEW_DOCUMENTATION,
    compute: |function, args, rows| {
        let mut models =
            Prepared::decode(function.parameters.function(), &args[0], Model::purchases)?;
        let horizons = Numbers::decode(&args[1], float64)?;
        models.each(rows, |model, row| {
            let horizon = horizons.get(row)?;
            let is_known = model.accepts_horizon(horizon);
            is_known.then(|| model.expected_purchases_new(horizon))
        })
    },
};

/// The customers' histories in three arguments.
pub(super) struct Histories {
    x: Numbers,
    t_x: Numbers,
    age: Numbers,
}

impl Histories {
    /// Of repeat purchases, recency, age.
    pub(super) fn decode(args: &[ColumnarValue]) -> Result<Self> {
        Ok(Self {
            x: Numbers::decode(&args[0], float64)?,
            t_x: Numbers::decode(&args[1], float64)?,
            age: Numbers::decode(&args[2], float64)?,
        })
    }

    /// The history of a row; `None` where there is no such history.
    pub(super) fn get(&self, model: &dyn PurchaseModel, row: usize) -> Option<History> {
        History::try_new(self.x.get(row)?, self.t_x.get(row)?, self.age.get(row)?)
            .filter(|history| model.accepts(history))
    }
}

/// The result of a model, a customer's history, and the arguments that follow.
pub(super) type OfHistory = fn(&dyn PurchaseModel, &History, &[Option<f64>]) -> Option<f64>;

/// The results of every row, NULL where there is no such history.
pub(super) fn each_history(
    function: &NumberFunction,
    args: &[ColumnarValue],
    rows: usize,
    compute: OfHistory,
) -> Result<Vec<Option<f64>>> {
    let mut models = Prepared::decode(function.parameters.function(), &args[0], Model::purchases)?;
    let histories = Histories::decode(&args[1..])?;
    let numbers = |arg| Numbers::decode(arg, float64);
    let more = args[4..].iter().map(numbers).collect::<Result<Vec<_>>>()?;
    let mut rest = vec![None; more.len()];
    models.each(rows, |model, row| {
        let history = histories.get(model.as_ref(), row)?;
        rest.iter_mut()
            .zip(&more)
            .for_each(|(value, column)| *value = column.get(row));
        compute(model.as_ref(), &history, &rest)
    })
}

static EXPECTED_PURCHASES_NEW_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "Expected repeat purchases in the horizon of a customer who has just made the first \
         purchase, by a fitted model of purchases.",
        "btyd_expected_purchases_new(fit, horizon)",
    )
    .with_argument("fit", FIT_TEXT)
    .with_argument("horizon", HORIZON_TEXT)
    .with_sql_example(
        "select btyd_expected_purchases_new(fitted_model('bg_nbd', [0.243, 4.414, 0.793, \
         2.426]), 52) as purchases",
    )
    .with_related_udf("btyd_expected_purchases")
    .build()
});

static LOG_LIKELIHOOD_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_history(
        "btyd_log_likelihood",
        "A customer's contribution to the log-likelihood of a fitted model of purchases: summed \
         over customers who took no part in the fit it compares models.",
        &[],
    )
    .with_sql_example(
        "select btyd_log_likelihood(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 2, \
         30.43, 38.86) as log_likelihood",
    )
    .with_related_udf("bg_nbd_fit")
    .build()
});

pub(super) const FIT_TEXT: &str =
    "A fitted model of purchases; it decides the formulas and the unit of time.";
pub(super) const HORIZON_TEXT: &str = "How far ahead, in the unit of age, 0 or more.";

/// The documentation that functions of a fit and a history share.
pub(super) fn of_history(
    function: &str,
    description: &str,
    more: &[(&str, &str)],
) -> DocumentationBuilder {
    let names: Vec<&str> = more.iter().map(|(name, _)| *name).collect();
    let names = [
        &["fit", "repeat_purchases", "recency", "age"],
        names.as_slice(),
    ]
    .concat();
    let documentation = Documentation::builder(
        super::SECTION,
        format!("{description} A history that cannot be (recency after age, …) gives NULL."),
        format!("{function}({})", names.join(", ")),
    )
    .with_argument("fit", FIT_TEXT)
    .with_argument("repeat_purchases", "Purchase occasions after the first.")
    .with_argument(
        "recency",
        "Time from the first to the last purchase, 0 without a repeat.",
    )
    .with_argument(
        "age",
        "Time from the first purchase to today, in the unit of the fit.",
    );
    more.iter()
        .fold(documentation, |documentation, (name, text)| {
            documentation.with_argument(*name, *text)
        })
}
