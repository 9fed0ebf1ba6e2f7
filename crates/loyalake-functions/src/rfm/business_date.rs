//! `business_date(instant, time_zone)`: the day of an instant where the business is.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Offset, TimeZone};
use datafusion_common::arrow::array::timezone::Tz;
use datafusion_common::arrow::array::{ArrayRef, AsArray, Date32Array};
use datafusion_common::arrow::compute::cast;
use datafusion_common::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_doc::Documentation;
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use crate::args::{Kind, Parameters, TEXT, Texts, evaluate, text};

/// The SQL function.
pub(crate) fn business_date() -> ScalarUDF {
    ScalarUDF::from(BusinessDate {
        signature: PARAMETERS.signature(),
    })
}

const INSTANT: Kind = Kind {
    expected: "a timestamp with time zone",
    accepts: |t| matches!(t, DataType::Timestamp(_, Some(_)) | DataType::Null),
};

const PARAMETERS: Parameters = Parameters::new(
    "business_date",
    &[("instant", INSTANT), ("time_zone", TEXT)],
);

const SECONDS_OF_DAY: i64 = 86_400;

/// Days whose offset is remembered; orders come in the order of time, or nearly so.
const REMEMBERED_DAYS: i64 = 1024;

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        super::SECTION,
        "The date that the calendar shows at an instant in a time zone: that of `instant at time \
         zone time_zone`, several times faster. NULL for an instant beyond the calendar.",
        "business_date(instant, time_zone)",
    )
    .with_argument("instant", "A timestamp with time zone.")
    .with_argument(
        "time_zone",
        "A constant: a name such as 'Europe/Berlin', or an offset such as '+02:00'.",
    )
    .with_sql_example(
        "select business_date(timestamptz '2026-03-31T23:30:00Z', 'Europe/Berlin') as bought_on",
    )
    .with_related_udf("purchase_history")
    .build()
});

#[derive(Debug, PartialEq, Eq, Hash)]
struct BusinessDate {
    signature: Signature,
}

impl ScalarUDFImpl for BusinessDate {
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
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        evaluate(&args, |args, rows| {
            let zones = Texts::decode(&args[1], text)?;
            if !zones.is_constant() {
                return exec_err!(
                    "business_date: argument 2 (time_zone) must be a constant, but is a column; \
                     write a name"
                );
            }
            let Some(zone) = zones.get(0) else {
                return Ok(Arc::new(Date32Array::new_null(rows)));
            };
            dates(&args[0].to_array(rows)?, Offsets::of(zone)?)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn dates(instants: &ArrayRef, mut offsets: Offsets) -> Result<ArrayRef> {
    let units_of_second = match instants.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => 1,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
        _ => 1_000_000_000,
    };
    let numbers = cast(instants, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let mut date = |instant: i64| {
        let seconds = instant.div_euclid(units_of_second);
        let local = seconds.checked_add(offsets.at(seconds)?)?;
        i32::try_from(local.div_euclid(SECONDS_OF_DAY)).ok()
    };
    let dates = numbers.iter().map(|instant| date(instant?));
    Ok(Arc::new(dates.collect::<Date32Array>()))
}

/// How far a zone's clocks are ahead, in seconds, at any second since 1970.
struct Offsets {
    zone: Tz,
    /// Days of UTC, and the offset that both ends of the day have; none if they differ.
    days: Vec<Option<(i64, Option<i64>)>>,
}

impl Offsets {
    fn of(zone: &str) -> Result<Self> {
        let zone = Tz::from_str(zone).map_err(|_| {
            exec_datafusion_err!(
                "business_date: argument 2 (time_zone) is '{zone}', which is no time zone; write \
                 a name such as 'Europe/Berlin', or an offset such as '+02:00'"
            )
        })?;
        let days = (0..REMEMBERED_DAYS).map(|_| None).collect();
        Ok(Self { zone, days })
    }

    fn at(&mut self, seconds: i64) -> Option<i64> {
        let day = seconds.div_euclid(SECONDS_OF_DAY);
        let place = usize::try_from(day.rem_euclid(REMEMBERED_DAYS)).ok()?;
        let offset = match self.days[place] {
            Some((known, offset)) if known == day => offset,
            _ => {
                let offset = self.of_day(day);
                self.days[place] = Some((day, offset));
                offset
            }
        };
        offset.or_else(|| self.look_up(seconds))
    }

    /// The offset of a whole day. No zone has moved its clocks and moved them back within one.
    fn of_day(&self, day: i64) -> Option<i64> {
        let first = self.look_up(day.checked_mul(SECONDS_OF_DAY)?)?;
        let last = self.look_up(day.checked_mul(SECONDS_OF_DAY)? + SECONDS_OF_DAY - 1)?;
        (first == last).then_some(first)
    }

    fn look_up(&self, seconds: i64) -> Option<i64> {
        let instant = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&instant).fix();
        Some(i64::from(offset.local_minus_utc()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Each quarter of an hour of two centuries.
    #[test]
    fn offsets_are_those_of_each_instant() {
        for zone in [
            "America/St_Johns",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Europe/London",
        ] {
            let mut offsets = Offsets::of(zone).unwrap();
            for quarter in -2_454_000_i64..8_000_000 {
                let seconds = quarter * 900;
                assert_eq!(
                    offsets.at(seconds),
                    offsets.look_up(seconds),
                    "{zone} {seconds}"
                );
            }
        }
    }
}
