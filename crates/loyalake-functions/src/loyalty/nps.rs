//! `nps(answer)`: net promoter score.

use std::sync::LazyLock;

use datafusion_common::Result;
use datafusion_common::arrow::array::{Array, ArrayRef};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use datafusion_expr::function::AccumulatorArgs;
use loyalake_core::loyalty::nps::{Answers, Nps as Score};

use crate::args::{NUMBER, Parameters, float64};
use crate::group_aggregate::{
    GroupAggregate, GroupState, ResultField, Value, result_column, result_struct,
};

/// The SQL function.
pub(crate) fn nps() -> AggregateUDF {
    Nps.udaf()
}

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "Net promoter score of answers from 0 to 10, as a struct: nps (share of promoters less \
         share of detractors, in points from −100 to 100), promoters (9 and 10), passives (7 and \
         8), detractors (0 to 6), responses (all three), invalid (fractions and numbers outside \
         of 0 to 10, which are no answers), ci_low and ci_high (95 %, normal approximation by the \
         variance p + q − (p − q)² of a difference of shares, cut at −100 and 100; when all \
         answer alike the interval is that point). NULL is skipped; a group without rows gives \
         NULL, one of invalid rows alone NULL for nps, ci_low and ci_high.",
        "nps(answer)",
    )
    .with_argument("answer", "A number, whole from 0 to 10.")
    .with_sql_example("select nps(answer) as nps from (values (10), (9), (7), (3)) as t (answer)")
    .with_related_udf("csat")
    .build()
});

/// The counts and their score.
type Output = (Answers, Option<Score>);

const FIELDS: [ResultField<Output>; 8] = [
    (
        "nps",
        Value::Number(|(_, score)| Some(score.as_ref()?.score)),
    ),
    ("promoters", Value::Count(|(answers, _)| answers.promoters)),
    ("passives", Value::Count(|(answers, _)| answers.passives)),
    (
        "detractors",
        Value::Count(|(answers, _)| answers.detractors),
    ),
    (
        "responses",
        Value::Count(|(answers, _)| answers.responses()),
    ),
    ("invalid", Value::Count(|(answers, _)| answers.invalid)),
    (
        "ci_low",
        Value::Number(|(_, score)| Some(score.as_ref()?.ci_low)),
    ),
    (
        "ci_high",
        Value::Number(|(_, score)| Some(score.as_ref()?.ci_high)),
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Nps;

impl GroupAggregate for Nps {
    type State = Answers;
    type Constant = ();
    const PARAMETERS: Parameters = Parameters::new("nps", &[("answer", NUMBER)]);

    fn documentation(&self) -> &'static Documentation {
        &DOCUMENTATION
    }

    fn constant(_: &AccumulatorArgs) -> Result<()> {
        Ok(())
    }

    fn result_type() -> DataType {
        result_struct(&FIELDS)
    }

    fn rows(columns: &[ArrayRef]) -> Result<impl Fn(usize, &mut Answers) + use<>> {
        let answers = float64(&columns[0])?;
        Ok(move |row, counted: &mut Answers| {
            if answers.is_valid(row) {
                counted.update(answers.value(row));
            }
        })
    }

    fn results((): (), states: &[Answers]) -> Result<ArrayRef> {
        let output = |answers: &Answers| {
            let has_rows = *answers != Answers::default();
            has_rows.then(|| (*answers, answers.finish()))
        };
        result_column(&FIELDS, &states.iter().map(output).collect::<Vec<_>>())
    }
}

impl GroupState for Answers {
    type Words = [i64; 4];
    const WORDS: usize = 4;

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn to_words(&self) -> [i64; 4] {
        let Self {
            promoters,
            passives,
            detractors,
            invalid,
        } = *self;
        [promoters, passives, detractors, invalid].map(u64::cast_signed)
    }

    fn from_words(words: &[i64]) -> Option<Self> {
        let words: [i64; 4] = words.try_into().ok()?;
        let [promoters, passives, detractors, invalid] = words.map(i64::cast_unsigned);
        Some(Self {
            promoters,
            passives,
            detractors,
            invalid,
        })
    }
}
