//! `spearman(x, y[, count])` and `gini_normalized(predicted, actual[, count])`: how well
//! predictions rank customers.

use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use datafusion_common::arrow::array::ArrayRef;
use datafusion_common::arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_doc::Documentation;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use loyalake_core::btyd::Collapsed;
use loyalake_core::rfm::ranking::{self as core, CountedPair};

use crate::args::{NUMBER, Parameters, float64};
use crate::collapsed::{collapsed_fields, collapsed_state, merge_collapsed};
use crate::counts::{COUNT, COUNT_DOCUMENTATION, Counts};

/// The SQL function `spearman`.
pub(crate) fn spearman() -> AggregateUDF {
    SPEARMAN.udaf()
}

/// The SQL function `gini_normalized`.
pub(crate) fn gini_normalized() -> AggregateUDF {
    GINI_NORMALIZED.udaf()
}

static SPEARMAN: Ranking = Ranking {
    parameters: Parameters::new("spearman", &[("x", NUMBER), ("y", NUMBER), COUNT])
        .with_optional(1),
    documentation: &SPEARMAN_DOCUMENTATION,
    measure: core::spearman,
};

static GINI_NORMALIZED: Ranking = Ranking {
    parameters: Parameters::new(
        "gini_normalized",
        &[("predicted", NUMBER), ("actual", NUMBER), COUNT],
    )
    .with_optional(1),
    documentation: &GINI_DOCUMENTATION,
    measure: core::gini_normalized,
};

const ROWS: &str = "Rows with a NULL, NaN or infinite value are skipped. Equal rows are counted, \
                    not kept: memory grows with the distinct ones.";

static SPEARMAN_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        format!(
            "Spearman's rank correlation: 1 when both columns put the rows into the same order, \
             −1 when into opposite ones. Equal values share the mean of their ranks. NULL below \
             two rows, or when a column is constant. {ROWS}"
        ),
        "spearman(x, y[, count])",
    )
    .with_argument("x", "A number, such as predicted purchases.")
    .with_argument("y", "A number, such as the purchases that happened.")
    .with_argument(COUNT.0, COUNT_DOCUMENTATION)
    .with_sql_example(
        "select spearman(predicted, actual) as spearman \
         from (values (0.2, 0), (0.9, 2), (1.4, 1), (3.1, 6)) as t (predicted, actual)",
    )
    .with_related_udf("gini_normalized")
    .build()
});

static GINI_DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        format!(
            "How well predictions find the customers who make the total: the Gini coefficient of \
             the actual values in the order of the predicted ones, over that in their own order. \
             1 is a perfect order, 0 one that tells nothing, below 0 one that misleads. Equal \
             predictions share the mean of their actual values. NULL when all actual values are \
             equal. {ROWS}"
        ),
        "gini_normalized(predicted, actual[, count])",
    )
    .with_argument("predicted", "What was predicted; only its order matters.")
    .with_argument("actual", "What happened.")
    .with_argument(COUNT.0, COUNT_DOCUMENTATION)
    .with_sql_example(
        "select gini_normalized(predicted, actual) as gini_normalized \
         from (values (0.2, 0), (0.9, 2), (1.4, 1), (3.1, 6)) as t (predicted, actual)",
    )
    .with_related_udf("spearman")
    .with_related_udf("gini")
    .build()
});

/// What makes one function of the two.
struct Ranking {
    parameters: Parameters,
    documentation: &'static LazyLock<Documentation>,
    measure: fn(&[CountedPair]) -> Option<f64>,
}

impl Ranking {
    fn udaf(&'static self) -> AggregateUDF {
        AggregateUDF::from(Plumbing {
            function: self,
            signature: self.parameters.signature(),
        })
    }
}

struct Plumbing {
    function: &'static Ranking,
    signature: Signature,
}

impl std::fmt::Debug for Plumbing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl PartialEq for Plumbing {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Plumbing {}

impl Hash for Plumbing {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl AggregateUDFImpl for Plumbing {
    fn name(&self) -> &str {
        self.function.parameters.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.parameters.check(types)?;
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.function.parameters.check_not_distinct(&args)?;
        Ok(collapsed_fields::<2>(args.name))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(PairAccumulator {
            function: self.function,
            pairs: Collapsed::default(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.function.documentation)
    }
}

struct PairAccumulator {
    function: &'static Ranking,
    pairs: Collapsed<2>,
}

impl std::fmt::Debug for PairAccumulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter
            .debug_struct(self.function.parameters.function())
            .field("pairs", &self.pairs)
            .finish_non_exhaustive()
    }
}

impl Accumulator for PairAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (left, right) = (float64(&values[0])?, float64(&values[1])?);
        let counts = Counts::decode(self.function.parameters.function(), values, 2)?;
        for (row, pair) in left.iter().zip(&right).enumerate() {
            if let (Some(left), Some(right)) = pair
                && left.is_finite()
                && right.is_finite()
            {
                self.pairs.update([left, right], counts.get(row));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let function = self.function.parameters.function();
        merge_collapsed(function, &mut self.pairs, states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(collapsed_state(&mut self.pairs))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let pairs = std::mem::take(&mut self.pairs).into_rows(|n| n);
        let rows: u128 = pairs.iter().map(|(_, count)| u128::from(*count)).sum();
        if rows > u128::from(core::LARGEST_ROWS) {
            let (function, most) = (self.function.parameters.function(), core::LARGEST_ROWS);
            return exec_err!("{function}: {rows} rows are counted, but at most {most} can be");
        }
        Ok(ScalarValue::Float64((self.function.measure)(&pairs)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.pairs.heap_size()
    }
}
