//! `weighted_score(components)`: a score that says where it comes from.

use std::sync::{Arc, LazyLock};

use datafusion_common::Result;
use datafusion_common::arrow::array::{
    Array, ArrayRef, Float64Array, Float64Builder, ListArray, StringBuilder, StructArray,
};
use datafusion_common::arrow::buffer::OffsetBuffer;
use datafusion_common::arrow::datatypes::{DataType, Field, Fields};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use loyalake_core::loyalty::weighted_score::{self as core, Component, WeightedScore as Score};

use crate::args::{Kind, Parameters, TEXT, evaluate, list_element, text};
use crate::records::{RecordLists, has_numbers};

/// The SQL function.
pub(crate) fn weighted_score() -> ScalarUDF {
    ScalarUDF::from(WeightedScore {
        signature: PARAMETERS.signature(),
    })
}

const COMPONENTS: Kind = Kind {
    expected: "a list of structs with name, value and weight",
    accepts: |data_type| data_type.is_null() || list_element(data_type).is_some_and(is_component),
};

const PARAMETERS: Parameters = Parameters::new("weighted_score", &[("components", COMPONENTS)]);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The weighted mean of the components that are present, in points: a struct of score (0 to \
         100), coverage (the share of the weight that is on components that are present) and \
         contributions, a list of structs of name and contribution in the order of the components: \
         100 × weight × value / weight present, NULL for a component whose value is NULL. The \
         contributions add up to the score exactly. A NULL or empty list, or one without a value, \
         gives a NULL score with coverage 0; a value outside 0 to 1 or a weight that is negative, \
         NULL or not finite gives NULL.",
        "weighted_score(components)",
    )
    .with_argument(
        "components",
        "A list of structs with name, value (0 to 1, NULL when missing) and weight.",
    )
    .with_sql_example(
        "select weighted_score([\
         named_struct('name', 'frequency', 'value', 0.8, 'weight', 2.0), \
         named_struct('name', 'satisfaction', 'value', 0.5, 'weight', 1.0)]) as loyalty",
    )
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct WeightedScore {
    signature: Signature,
}

impl ScalarUDFImpl for WeightedScore {
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
        Ok(DataType::Struct(result_fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let lists = RecordLists::decode(&args[0])?;
            let (values, weights) = (lists.numbers("value")?, lists.numbers("weight")?);
            let names = text(&lists.field("name")?)?;
            let mut results = Results::default();
            for row in 0..rows {
                let places = lists.range(row).unwrap_or_default();
                let components: Option<Vec<Component>> = places
                    .clone()
                    .map(|at| {
                        Some(Component {
                            value: values.get(at),
                            weight: weights.get(at)?,
                        })
                    })
                    .collect();
                let score = components.and_then(|components| core::weighted_score(&components));
                let names = places.map(|at| names.is_valid(at).then(|| names.value(at)));
                results.append(score, names);
            }
            results.finish()
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn is_component(element: &DataType) -> bool {
    let DataType::Struct(fields) = element else {
        return element.is_null();
    };
    let is_named = |name: &str| {
        fields
            .find(name)
            .is_some_and(|(_, field)| (TEXT.accepts)(field.data_type()))
    };
    has_numbers(element, &["value", "weight"]) && is_named("name")
}

fn contribution_fields() -> Fields {
    Fields::from(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("contribution", DataType::Float64, true),
    ])
}

fn result_fields() -> Fields {
    let contributions = DataType::new_list(DataType::Struct(contribution_fields()), true);
    Fields::from(vec![
        Field::new("score", DataType::Float64, true),
        Field::new("coverage", DataType::Float64, true),
        Field::new("contributions", contributions, true),
    ])
}

/// The result, column by column.
#[derive(Default)]
struct Results {
    scores: Vec<Option<f64>>,
    coverages: Vec<Option<f64>>,
    names: StringBuilder,
    contributions: Float64Builder,
    lengths: Vec<usize>,
}

impl Results {
    fn append<'a>(&mut self, score: Option<Score>, names: impl Iterator<Item = Option<&'a str>>) {
        self.scores
            .push(score.as_ref().and_then(|score| score.score));
        self.coverages
            .push(score.as_ref().map(|score| score.coverage));
        let contributions = score.map(|score| score.contributions).unwrap_or_default();
        for (name, contribution) in names.zip(&contributions) {
            self.names.append_option(name);
            self.contributions.append_option(*contribution);
        }
        self.lengths.push(contributions.len());
    }

    fn finish(mut self) -> Result<ArrayRef> {
        let is_known: Vec<bool> = self.coverages.iter().map(Option::is_some).collect();
        let contributions = StructArray::try_new(
            contribution_fields(),
            vec![
                Arc::new(self.names.finish()),
                Arc::new(self.contributions.finish()),
            ],
            None,
        )?;
        let item = Field::new_list_field(DataType::Struct(contribution_fields()), true);
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let nulls = Some(is_known.into());
        let lists =
            ListArray::try_new(item.into(), offsets, Arc::new(contributions), nulls.clone())?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Float64Array::from(self.scores)),
            Arc::new(Float64Array::from(self.coverages)),
            Arc::new(lists),
        ];
        Ok(Arc::new(StructArray::try_new(
            result_fields(),
            columns,
            nulls,
        )?))
    }
}
