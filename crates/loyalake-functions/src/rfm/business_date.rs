//! `business_date(instant, time_zone)`: the day of an instant where the business is.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Offset, TimeZone};
use datafusion_common::arrow::array::timezone::Tz;
use datafusion_common::arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array};
use datafusion_common::arrow::compute::{cast, max, min};
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

/// Days between instants, at most, for which one offset of all is looked for.
const FEW_DAYS: i64 = 64;

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
            dates(&args[0].to_array(rows)?, Zone::named(zone)?)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

fn dates(instants: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    let numbers = cast(instants, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let dates = match instants.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => dates_of::<1>(numbers, zone),
        DataType::Timestamp(TimeUnit::Millisecond, _) => dates_of::<1000>(numbers, zone),
        DataType::Timestamp(TimeUnit::Microsecond, _) => dates_of::<1_000_000>(numbers, zone),
        _ => dates_of::<1_000_000_000>(numbers, zone),
    };
    Ok(Arc::new(dates))
}

/// The dates of instants, which are numbers of `PER_SECOND` units a second.
#[expect(
    clippy::cast_possible_truncation,
    reason = "days of the calendar; those of NULLs are not read"
)]
fn dates_of<const PER_SECOND: i64>(instants: &Int64Array, zone: Zone) -> Date32Array {
    if let Some(ahead) = zone.offset_of_all::<PER_SECOND>(instants) {
        return instants.unary(|instant| {
            let local = instant.wrapping_add(ahead * PER_SECOND);
            local.div_euclid(SECONDS_OF_DAY * PER_SECOND) as i32
        });
    }
    let mut offsets = Offsets::of(zone);
    let mut date = |instant: i64| {
        let seconds = instant.div_euclid(PER_SECOND);
        let local = seconds.checked_add(offsets.at(seconds)?)?;
        i32::try_from(local.div_euclid(SECONDS_OF_DAY)).ok()
    };
    instants.iter().map(|instant| date(instant?)).collect()
}

/// How far a zone's clocks are ahead, in seconds.
struct Zone(Tz);

impl Zone {
    fn named(zone: &str) -> Result<Self> {
        let zone = Tz::from_str(zone).map_err(|_| {
            exec_datafusion_err!(
                "business_date: argument 2 (time_zone) is '{zone}', which is no time zone; write \
                 a name such as 'Europe/Berlin', or an offset such as '+02:00'"
            )
        })?;
        Ok(Self(zone))
    }

    /// The offset of all instants, if they have the same one and few days, as neighbouring orders
    /// have. The calendar has dates for all of them then.
    fn offset_of_all<const PER_SECOND: i64>(&self, instants: &Int64Array) -> Option<i64> {
        let day = |instant: i64| instant.div_euclid(SECONDS_OF_DAY * PER_SECOND);
        let (first, last) = (day(min(instants)?), day(max(instants)?));
        if last - first > FEW_DAYS {
            return None;
        }
        let offset = self.of_day(first)?;
        let mut others = first + 1..=last;
        let is_same = others.all(|day| self.of_day(day) == Some(offset));
        is_same.then_some(offset)
    }

    /// The offset of a whole day. No zone has moved its clocks and moved them back within one.
    fn of_day(&self, day: i64) -> Option<i64> {
        let first = self.at(day.checked_mul(SECONDS_OF_DAY)?)?;
        let last = self.at(day.checked_mul(SECONDS_OF_DAY)? + SECONDS_OF_DAY - 1)?;
        (first == last).then_some(first)
    }

    /// The offset at a second since 1970.
    fn at(&self, seconds: i64) -> Option<i64> {
        let instant = DateTime::from_timestamp(seconds, 0)?.naive_utc();
        let offset = self.0.offset_from_utc_datetime(&instant).fix();
        Some(i64::from(offset.local_minus_utc()))
    }
}

/// The offsets of a zone, which remembers those of days.
struct Offsets {
    zone: Zone,
    /// Days of UTC, and the offset that both ends of the day have; none if they differ.
    days: Vec<Option<(i64, Option<i64>)>>,
}

impl Offsets {
    fn of(zone: Zone) -> Self {
        let days = (0..REMEMBERED_DAYS).map(|_| None).collect();
        Self { zone, days }
    }

    fn at(&mut self, seconds: i64) -> Option<i64> {
        let day = seconds.div_euclid(SECONDS_OF_DAY);
        let place = usize::try_from(day.rem_euclid(REMEMBERED_DAYS)).ok()?;
        let offset = match self.days[place] {
            Some((known, offset)) if known == day => offset,
            _ => {
                let offset = self.zone.of_day(day);
                self.days[place] = Some((day, offset));
                offset
            }
        };
        offset.or_else(|| self.zone.at(seconds))
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
            let known = Zone::named(zone).unwrap();
            let mut offsets = Offsets::of(Zone::named(zone).unwrap());
            for quarter in -2_454_000_i64..8_000_000 {
                let seconds = quarter * 900;
                assert_eq!(offsets.at(seconds), known.at(seconds), "{zone} {seconds}");
            }
        }
    }

    /// Batches of an hour to some months, around days on which clocks change.
    #[test]
    fn dates_of_neighbours_are_those_of_each_instant() {
        for zone in ["UTC", "+05:45", "America/St_Johns", "Pacific/Apia"] {
            for length in [4, 96, 2_000, 20_000] {
                for first in (1_200_000_i64..1_800_000).step_by(12_347) {
                    let instants = (first..first + length).map(|quarter| quarter * 900_000);
                    let instants = instants.map(Some).chain([None]);
                    let instants: Int64Array = instants.collect();
                    let known = Zone::named(zone).unwrap();
                    let expected = instants.iter().map(|instant| {
                        let seconds = instant? / 1000;
                        Some((seconds + known.at(seconds)?).div_euclid(SECONDS_OF_DAY))
                    });
                    let expected: Vec<Option<i64>> = expected.collect();
                    let dates = dates_of::<1000>(&instants, known);
                    let dates: Vec<_> = dates.iter().map(|date| date.map(i64::from)).collect();
                    assert_eq!(dates, expected, "{zone} {first} {length}");
                }
            }
        }
    }
}
