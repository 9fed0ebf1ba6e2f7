//! Scalar functions whose result is a number.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use datafusion_common::arrow::array::Float64Array;
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_doc::Documentation;
use datafusion_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::args::{Numbers, Parameters, evaluate, float64};

/// The results of a number of rows.
type Compute = fn(&NumberFunction, &[ColumnarValue], usize) -> Result<Vec<Option<f64>>>;

/// What makes one function of the family.
pub(crate) struct NumberFunction {
    pub(crate) parameters: Parameters,
    /// Positions and names of parameters that are never negative, and the most they can be: other
    /// constants are plan errors.
    pub(crate) bounded: &'static [(usize, &'static str, f64)],
    pub(crate) documentation: &'static LazyLock<Documentation>,
    /// The result of each row, for as many rows as are given.
    pub(crate) compute: Compute,
}

impl NumberFunction {
    /// The SQL function.
    pub(crate) fn udf(&'static self) -> ScalarUDF {
        ScalarUDF::from(Plumbing {
            function: self,
            signature: self.parameters.signature(),
        })
    }

    fn name(&self) -> &'static str {
        self.parameters.function()
    }

    fn check_constant(
        &self,
        (position, name, most): (usize, &str, f64),
        constant: &ScalarValue,
    ) -> Result<()> {
        let Ok(ScalarValue::Float64(Some(value))) = constant.cast_to(&DataType::Float64) else {
            return Ok(());
        };
        if value >= 0.0 && value <= most && value.is_finite() {
            return Ok(());
        }
        let range = if most.is_finite() {
            format!("from 0 to {most}")
        } else {
            "from 0 on".to_string()
        };
        plan_err!(
            "{}: argument {} ({name}) must be a finite number {range}, but is {constant}",
            self.name(),
            position + 1
        )
    }
}

/// The result of each row from its numbers alone; NULL when one is, and when it is not finite.
pub(crate) fn each<const N: usize>(
    args: &[ColumnarValue],
    rows: usize,
    compute: fn([f64; N]) -> Option<f64>,
) -> Result<Vec<Option<f64>>> {
    let columns = args.iter().map(|arg| Numbers::decode(arg, float64));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let result = |row| {
        let mut values = [0.0; N];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column.get(row)?;
        }
        compute(values).filter(|result| result.is_finite())
    };
    Ok((0..rows).map(result).collect())
}

struct Plumbing {
    function: &'static NumberFunction,
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

impl ScalarUDFImpl for Plumbing {
    fn name(&self) -> &str {
        self.function.name()
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

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let data_type = self.return_type(&types)?;
        for bounded in self.function.bounded {
            if let Some(Some(constant)) = args.scalar_arguments.get(bounded.0) {
                self.function.check_constant(*bounded, constant)?;
            }
        }
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let results = (self.function.compute)(self.function, args, rows)?;
            Ok(Arc::new(Float64Array::from(results)))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.function.documentation)
    }
}
