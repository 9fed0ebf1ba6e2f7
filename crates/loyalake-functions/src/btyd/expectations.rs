//! `btyd_p_alive`, `btyd_expected_purchases` and `btyd_discounted_purchases`: what a fitted model
//! of purchases expects of a customer.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarUDF};
use loyalake_core::btyd::{Model, PurchaseModel, Scorer};

use super::fit_value::Prepared;
use super::purchases::{
    AGE, FIT_ARGUMENT, HORIZON, HORIZON_TEXT, Histories, RECENCY, REPEAT_PURCHASES, of_history,
};
use crate::args::{NUMBER, Numbers, Parameters, float64};
use crate::number_function::NumberFunction;

/// The SQL function `btyd_p_alive`.
pub(super) fn btyd_p_alive() -> ScalarUDF {
    P_ALIVE.udf()
}

/// The SQL function `btyd_expected_purchases`.
pub(super) fn btyd_expected_purchases() -> ScalarUDF {
    EXPECTED_PURCHASES.udf()
}

/// The SQL function `btyd_discounted_purchases`.
pub(super) fn btyd_discounted_purchases() -> ScalarUDF {
    DISCOUNTED_PURCHASES.udf()
}

static P_ALIVE: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_p_alive",
        &[FIT_ARGUMENT, REPEAT_PURCHASES, RECENCY, AGE],
    ),
    bounded: &[],
    documentation: &P_ALIVE_DOCUMENTATION,
    compute: |function, args, rows| {
        let mut models = Prepared::decode(function.parameters.function(), &args[0], known)?;
        let histories = Histories::decode(&args[1..])?;
        models.each(rows, |known, row| {
            let history = histories.get(known.model.as_ref(), row)?;
            Some(with_scorer(known, None, 0.0, |scorer| {
                scorer.p_alive(&history)
            }))
        })
    },
};

static EXPECTED_PURCHASES: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_expected_purchases",
        &[FIT_ARGUMENT, REPEAT_PURCHASES, RECENCY, AGE, HORIZON],
    ),
    bounded: &[(4, "horizon", f64::INFINITY)],
    documentation: &EXPECTED_PURCHASES_DOCUMENTATION,
    compute: |function, args, rows| {
        let rate = Numbers::constant(0.0);
        each_expectation(function, args, rows, &rate, |horizon| horizon.map(Some))
    },
};

static DISCOUNTED_PURCHASES: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "btyd_discounted_purchases",
        &[
            FIT_ARGUMENT,
            REPEAT_PURCHASES,
            RECENCY,
            AGE,
            HORIZON,
            ("discount_rate", NUMBER),
        ],
    ),
    bounded: &[
        (4, "horizon", f64::INFINITY),
        (5, "discount_rate", f64::INFINITY),
    ],
    documentation: &DISCOUNTED_PURCHASES_DOCUMENTATION,
    compute: |function, args, rows| {
        let rate = Numbers::decode(&args[5], float64)?;
        // Without a horizon it is infinite.
        each_expectation(function, args, rows, &rate, Some)
    },
};

/// A model and the parameters that it was set up with.
struct Known {
    name: &'static str,
    values: Vec<f64>,
    model: Arc<dyn PurchaseModel>,
}

fn known(model: &Model, values: &[f64]) -> loyalake_core::Result<Known> {
    Ok(Known {
        name: model.name,
        values: values.to_vec(),
        model: model.purchases(values)?.into(),
    })
}

/// The horizon that an argument means, `Some(None)` being infinite; `None`: the result is NULL.
type Meaning = fn(Option<f64>) -> Option<Option<f64>>;

fn each_expectation(
    function: &NumberFunction,
    args: &[ColumnarValue],
    rows: usize,
    rates: &Numbers,
    meaning: Meaning,
) -> Result<Vec<Option<f64>>> {
    let mut models = Prepared::decode(function.parameters.function(), &args[0], known)?;
    let histories = Histories::decode(&args[1..])?;
    let horizons = Numbers::decode(&args[4], float64)?;
    let terms = |model: &dyn PurchaseModel, row| {
        let horizon = meaning(horizons.get(row))?;
        let rate = rates
            .get(row)
            .filter(|rate| *rate >= 0.0 && rate.is_finite())?;
        let is_known = horizon.is_none_or(|horizon| model.accepts_horizon(horizon));
        is_known.then_some((horizon, rate))
    };
    // Customers share a scorer; one for the terms of a single customer would be wasted.
    let has_one_term = horizons.is_constant() && rates.is_constant();
    models.each(rows, |known, row| {
        let history = histories.get(known.model.as_ref(), row)?;
        let (horizon, rate) = terms(known.model.as_ref(), row)?;
        let purchases = if has_one_term {
            with_scorer(known, horizon, rate, |scorer| scorer.purchases(&history))
        } else {
            known.model.discounted_purchases(&history, horizon, rate)
        };
        purchases.is_finite().then_some(purchases)
    })
}

/// A scorer and what it was made of: model, parameters, horizon, rate.
type KnownScorer = (&'static str, Vec<f64>, Option<f64>, f64, Scorer);

/// Scorers that a thread keeps: for the fits of that many groups.
const MOST_SCORERS: usize = 64;

thread_local! {
    /// The thread's scorers, the latest first: what they have computed for one row or batch serves
    /// the next one. A result never depends on what was kept.
    static SCORERS: RefCell<Vec<KnownScorer>> = const { RefCell::new(Vec::new()) };
}

fn with_scorer(
    known: &Known,
    horizon: Option<f64>,
    rate: f64,
    compute: impl FnOnce(&mut Scorer) -> f64,
) -> f64 {
    let Known { name, values, .. } = known;
    let is_it = |scorer: &KnownScorer| {
        *name == scorer.0
            && *values == scorer.1
            && horizon == scorer.2
            && rate.total_cmp(&scorer.3).is_eq()
    };
    SCORERS.with_borrow_mut(|scorers| {
        if let Some(place) = scorers.iter().position(is_it) {
            scorers[..=place].rotate_right(1);
        } else {
            scorers.truncate(MOST_SCORERS - 1);
            let scorer = Scorer::new(Arc::clone(&known.model), horizon, rate);
            scorers.insert(0, (name, values.clone(), horizon, rate, scorer));
        }
        compute(&mut scorers[0].4)
    })
}

static P_ALIVE_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_history(
        "btyd_p_alive",
        "Probability that a customer is still a customer, by a fitted model of purchases: with \
         bg_nbd 1 for all one-time buyers, with mbg_nbd and pareto_nbd less the longer they are \
         silent; with bg_bb the probability to be one at the next opportunity.",
        &[],
    )
    .with_sql_example(
        "select btyd_p_alive(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 2, 30.43, \
         38.86) as p_alive",
    )
    .with_related_udf("bg_nbd_fit")
    .build()
});

static EXPECTED_PURCHASES_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    of_history(
        "btyd_expected_purchases",
        "Expected purchases of a customer in (age, age + horizon], by a fitted model of purchases.",
        &[("horizon", HORIZON_TEXT)],
    )
    .with_sql_example(
        "select btyd_expected_purchases(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 2, \
         30.43, 38.86, 39) as purchases",
    )
    .with_related_udf("btyd_discounted_purchases")
    .build()
});

static DISCOUNTED_PURCHASES_DOCUMENTATION: LazyLock<Documentation> =
    LazyLock::new(|| {
        of_history(
        "btyd_discounted_purchases",
        "Expected purchases of a customer in (age, age + horizon], a purchase u units ahead \
         counting (1 + discount_rate)^(−u). Without a horizon and a discount the number may be \
         infinite: NULL.",
        &[
            ("horizon", "How far ahead, in the unit of age, 0 or more; NULL: without end (DERT)."),
            (
                "discount_rate",
                "Effective per unit of age, 0 or more: with days and a yearly rate d, \
                 power(1 + d, 1 / 365.25) − 1.",
            ),
        ],
    )
    .with_sql_example(
        "select btyd_discounted_purchases(fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]), 2, \
         30.43, 38.86, null, 0.0027) as purchases",
    )
    .with_related_udf("btyd_expected_purchases")
    .build()
    });
