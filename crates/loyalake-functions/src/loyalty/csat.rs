//! `csat(answer, scale_min, scale_max)`: customer satisfaction.

use std::sync::LazyLock;

use datafusion_common::Result;
use datafusion_common::arrow::array::{Array, ArrayRef};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::AggregateUDF;
use datafusion_expr::function::AccumulatorArgs;
use loyalake_core::exact_sum::ExactSum;
use loyalake_core::loyalty::csat::{Answers, Csat as Output};

use crate::args::{NUMBER, Parameters, float64};
use crate::group_aggregate::{
    GroupAggregate, GroupState, ResultField, Value, result_column, result_struct,
};

/// The SQL function.
pub(crate) fn csat() -> AggregateUDF {
    Csat.udaf()
}

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "Customer satisfaction as a struct: top_two_box (share of the two best answers: \
         scale_max − 1 and above), mean_unit (mean place on the scale, from 0 at scale_min to 1 \
         at scale_max, the same in any order of rows), responses, ci_low and ci_high (Wilson's \
         95 % interval of top_two_box). On a scale whose best end is the lower number write \
         csat(answer, max, min). Every row may have a scale of its own. Rows with a NULL, answers \
         outside of their scale and scales of equal ends are skipped; a group without answers \
         gives NULL.",
        "csat(answer, scale_min, scale_max)",
    )
    .with_argument("answer", "A number on a scale of whole steps.")
    .with_argument("scale_min", "The worst answer.")
    .with_argument("scale_max", "The best answer.")
    .with_sql_example(
        "select csat(answer, 1, 5) as csat from (values (5), (4), (4), (2)) as t (answer)",
    )
    .with_related_udf("nps")
    .with_related_udf("scale_to_unit")
    .with_related_udf("wilson_interval")
    .build()
});

const FIELDS: [ResultField<Output>; 5] = [
    ("top_two_box", Value::Number(|csat| Some(csat.top_two_box))),
    ("mean_unit", Value::Number(|csat| Some(csat.mean_unit))),
    ("responses", Value::Count(|csat| csat.responses)),
    ("ci_low", Value::Number(|csat| Some(csat.ci_low))),
    ("ci_high", Value::Number(|csat| Some(csat.ci_high))),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Csat;

impl GroupAggregate for Csat {
    type State = Answers;
    type Constant = ();
    const PARAMETERS: Parameters = Parameters::new(
        "csat",
        &[
            ("answer", NUMBER),
            ("scale_min", NUMBER),
            ("scale_max", NUMBER),
        ],
    );

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
        let (worst, best) = (float64(&columns[1])?, float64(&columns[2])?);
        Ok(move |row, counted: &mut Answers| {
            if answers.is_valid(row) && worst.is_valid(row) && best.is_valid(row) {
                counted.update(answers.value(row), worst.value(row), best.value(row));
            }
        })
    }

    fn results((): (), states: &[Answers]) -> Result<ArrayRef> {
        let output: Vec<_> = states.iter().map(Answers::finish).collect();
        result_column(&FIELDS, &output)
    }
}

impl GroupState for Answers {
    type Words = [i64; 2 + ExactSum::WORDS];
    const WORDS: usize = 2 + ExactSum::WORDS;

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn to_words(&self) -> Self::Words {
        let mut words = [0; 2 + ExactSum::WORDS];
        words[0] = self.responses.cast_signed();
        words[1] = self.top_two.cast_signed();
        words[2..].copy_from_slice(&self.units.to_words());
        words
    }

    fn from_words(words: &[i64]) -> Option<Self> {
        let (&[responses, top_two], units) = words.split_first_chunk()?;
        Some(Self {
            responses: responses.cast_unsigned(),
            top_two: top_two.cast_unsigned(),
            units: ExactSum::from_words(units.try_into().ok()?),
        })
    }
}
