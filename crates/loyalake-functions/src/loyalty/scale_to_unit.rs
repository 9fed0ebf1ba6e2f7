//! `scale_to_unit(value, scale_min, scale_max)`: answers on different scales, made comparable.

use std::sync::LazyLock;

use datafusion_doc::Documentation;
use datafusion_expr::ScalarUDF;
use loyalake_core::loyalty::scale_to_unit as core;

use crate::args::{NUMBER, Parameters};
use crate::number_function::{NumberFunction, each};

/// The SQL function.
pub(crate) fn scale_to_unit() -> ScalarUDF {
    FUNCTION.udf()
}

static FUNCTION: NumberFunction = NumberFunction {
    parameters: Parameters::new(
        "scale_to_unit",
        &[
            ("value", NUMBER),
            ("scale_min", NUMBER),
            ("scale_max", NUMBER),
        ],
    ),
    bounded: &[],
    documentation: &DOCUMENTATION,
    compute: |_, args, rows| {
        each(args, rows, |[value, min, max]| {
            core::scale_to_unit(value, min, max)
        })
    },
};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The place of a value on its scale, from 0 at scale_min to 1 at scale_max: (value − \
         scale_min) / (scale_max − scale_min). On a scale whose best end is the lower number \
         write scale_to_unit(value, max, min). NULL outside of the scale, for equal ends, NaN and \
         infinite ends.",
        "scale_to_unit(value, scale_min, scale_max)",
    )
    .with_argument("value", "A number on the scale.")
    .with_argument("scale_min", "The end that gives 0.")
    .with_argument("scale_max", "The end that gives 1.")
    .with_sql_example("select scale_to_unit(4, 1, 5) as unit")
    .with_related_udf("csat")
    .build()
});
