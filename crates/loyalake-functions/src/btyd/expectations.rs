//! `btyd_p_alive`, `btyd_expected_purchases` and `btyd_discounted_purchases`: what a fitted model of
//! purchases expects of a customer.

use std::cell::RefCell;
use std::sync::LazyLock;

use datafusion_common::{Result, exec_datafusion_err};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarUDF};
use loyalake_core::btyd::{Model, PurchaseModel, Scorer, model};

use super::fit_value::Prepared;
use super::number_function::NumberFunction;
use super::purchases::{
    AGE, FIT_ARGUMENT, HORIZON, HORIZON_TEXT, Histories, RECENCY, REPEAT_PURCHASES, of_history,
};
use crate::args::{NUMBER, Numbers, Parameters, float64};

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
        if !models.is_constant() || rows == 0 {
            return models.each(rows, |Known { model, .. }, row| {
                Some(model.p_alive(&histories.get(model.as_ref(), row)?))
            });
        }
        let Some(known) = models.get(0)? else {
            return Ok(vec![None; rows]);
        };
        with_scorer(known, None, 0.0, |scorer| {
            let p_alive = |row| Some(scorer.p_alive(&histories.get(known.model.as_ref(), row)?));
            (0..rows).map(p_alive).collect()
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
    model: Box<dyn PurchaseModel>,
}

fn known(model: &Model, values: &[f64]) -> loyalake_core::Result<Known> {
    Ok(Known {
        name: model.name,
        values: values.to_vec(),
        model: model.purchases(values)?,
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
    let is_one = models.is_constant() && horizons.is_constant() && rates.is_constant();
    if !is_one || rows == 0 {
        return models.each(rows, |Known { model, .. }, row| {
            let history = histories.get(model.as_ref(), row)?;
            let (horizon, rate) = terms(model.as_ref(), row)?;
            let purchases = model.discounted_purchases(&history, horizon, rate);
            purchases.is_finite().then_some(purchases)
        });
    }
    let Some(known) = models.get(0)? else {
        return Ok(vec![None; rows]);
    };
    let Some((horizon, rate)) = terms(known.model.as_ref(), 0) else {
        return Ok(vec![None; rows]);
    };
    with_scorer(known, horizon, rate, |scorer| {
        let purchases = |row| {
            let purchases = scorer.purchases(&histories.get(known.model.as_ref(), row)?);
            purchases.is_finite().then_some(purchases)
        };
        (0..rows).map(purchases).collect()
    })
}

/// A scorer and what it was made of: model, parameters, horizon, rate.
type KnownScorer = (&'static str, Vec<f64>, Option<f64>, f64, Scorer);

/// Scorers that a thread keeps for the next batches.
const MOST_SCORERS: usize = 8;

thread_local! {
    /// The thread's latest scorers: what they have computed for one batch serves the next one. This
    /// changes no result.
    static SCORERS: RefCell<Vec<KnownScorer>> = const { RefCell::new(Vec::new()) };
}

fn with_scorer<T>(
    known: &Known,
    horizon: Option<f64>,
    rate: f64,
    compute: impl FnOnce(&mut Scorer) -> T,
) -> Result<T> {
    let Known { name, values, .. } = known;
    let latest = SCORERS.take();
    let (mut same, mut others): (Vec<_>, Vec<_>) = latest.into_iter().partition(|scorer| {
        *name == scorer.0
            && *values == scorer.1
            && horizon == scorer.2
            && rate.total_cmp(&scorer.3).is_eq()
    });
    let mut scorer = match same.pop() {
        Some((.., scorer)) => scorer,
        None => {
            let model = model(name).and_then(|model| model.purchases(values));
            let model = model.map_err(|error| exec_datafusion_err!("{error}"))?;
            Scorer::new(model, horizon, rate)
        }
    };
    let result = compute(&mut scorer);
    others.truncate(MOST_SCORERS - 1);
    others.insert(0, (name, values.clone(), horizon, rate, scorer));
    SCORERS.set(others);
    Ok(result)
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
