//! `score_bin(value, cuts)` and `percent_score(value, cuts)`: scores by cut points.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::rfm::score::Cuts;

use crate::args::{
    NUMBER, NUMBERS, NumberLists, Numbers, Parameters, evaluate, float64, float64_list,
};

/// The SQL function `score_bin`.
pub(crate) fn score_bin() -> ScalarUDF {
    ScalarUDF::from(ScoreBin {
        signature: BIN_PARAMETERS.signature(),
    })
}

/// The SQL function `percent_score`.
pub(crate) fn percent_score() -> ScalarUDF {
    ScalarUDF::from(PercentScore {
        signature: PERCENT_PARAMETERS.signature(),
    })
}

const BIN_PARAMETERS: Parameters =
    Parameters::new("score_bin", &[("value", NUMBER), ("cuts", NUMBERS)]);
const PERCENT_PARAMETERS: Parameters =
    Parameters::new("percent_score", &[("value", NUMBER), ("cuts", NUMBERS)]);

const CUTS: &str = "Ascending cut points, usually from quantile_cuts; ties are fine. An empty \
                    list, a NULL in it or a descent gives NULL.";

static BIN_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The bin of a value: 1 + the number of cut points below it, 1 to k for k − 1 cut points. \
         Equal values get equal bins. NULL and NaN give NULL.",
        "score_bin(value, cuts)",
    )
    .with_argument("value", "A number.")
    .with_argument("cuts", CUTS)
    .with_sql_example("select score_bin(25, [10, 20, 30]) as bin")
    .with_related_udf("quantile_cuts")
    .with_related_udf("percent_score")
    .build()
});

static PERCENT_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The place of a value between 0 and 1: i / k at the i-th of k − 1 cut points, linear \
         between them, 0 below the first and 1 above the last. Tied cut points share the mean of \
         their places. NULL and NaN give NULL.",
        "percent_score(value, cuts)",
    )
    .with_argument("value", "A number.")
    .with_argument("cuts", CUTS)
    .with_sql_example("select percent_score(25, [10, 20, 30]) as place")
    .with_related_udf("quantile_cuts")
    .with_related_udf("score_bin")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct ScoreBin {
    signature: Signature,
}

impl ScalarUDFImpl for ScoreBin {
    fn name(&self) -> &str {
        BIN_PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        BIN_PARAMETERS.check(types)?;
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let bin = |value, cuts: Cuts| i64::try_from(cuts.score_bin(value)?).ok();
            Ok(Arc::new(scores(args, rows, bin)?.collect::<Int64Array>()) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&BIN_DOCUMENTATION)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PercentScore {
    signature: Signature,
}

impl ScalarUDFImpl for PercentScore {
    fn name(&self) -> &str {
        PERCENT_PARAMETERS.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        PERCENT_PARAMETERS.check(types)?;
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let place = |value, cuts: Cuts| cuts.percent_score(value);
            Ok(Arc::new(scores(args, rows, place)?.collect::<Float64Array>()) as ArrayRef)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&PERCENT_DOCUMENTATION)
    }
}

/// The score of each row.
fn scores<T>(
    args: &[ColumnarValue],
    rows: usize,
    score: impl Fn(f64, Cuts) -> Option<T>,
) -> Result<impl Iterator<Item = Option<T>>> {
    let values = Numbers::decode(&args[0], float64)?;
    let cuts = NumberLists::decode(&args[1], float64_list)?;
    Ok((0..rows).map(move |row| score(values.get(row)?, Cuts::try_new(cuts.get(row)?)?)))
}
