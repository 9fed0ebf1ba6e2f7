//! Dates to run: one, or a range in steps.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use clap::ValueEnum;

/// Years in which a business can have customers; others are typing errors.
const YEARS: RangeInclusive<i32> = 1900..=2200;

/// What `--as-of` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// One date.
    Date(NaiveDate),
    /// From the first to the last, both inclusive.
    Range(NaiveDate, NaiveDate),
}

/// Steps of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Every {
    /// Each date.
    Day,
    /// The first date and every seventh after it.
    Week,
    /// The first date's day of each month, the month's last day where it is shorter.
    Month,
}

/// A text that is no date and no range.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DateError {
    /// Not a date.
    #[error("'{0}' is not a date; write 2026-11-21, or 2026-01-01..2026-06-30")]
    NotADate(String),
    /// A date outside [`YEARS`].
    #[error("{0} is not a date from 1900 to 2200; mend the year")]
    OutOfRange(NaiveDate),
    /// A range that ends before it begins.
    #[error("the range ends on {last}, before it begins on {first}; swap the dates")]
    Backwards {
        /// The first date.
        first: NaiveDate,
        /// The last date.
        last: NaiveDate,
    },
}

impl FromStr for AsOf {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let Some((first, last)) = text.split_once("..") else {
            return Ok(Self::Date(date(text)?));
        };
        let (first, last) = (date(first)?, date(last)?);
        if last < first {
            return Err(DateError::Backwards { first, last });
        }
        Ok(Self::Range(first, last))
    }
}

impl Every {
    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The dates of a range, in order.
    pub(crate) fn dates(self, first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
        // months are counted from the first date: 31 January, 28 February, 31 March
        let date = |step: u32| match self {
            Self::Day => first.checked_add_days(Days::new(u64::from(step))),
            Self::Week => first.checked_add_days(Days::new(7 * u64::from(step))),
            Self::Month => first.checked_add_months(Months::new(step)),
        };
        (0..)
            .map_while(date)
            .take_while(|date| *date <= last)
            .collect()
    }

    /// The first of `remaining`, if a range that begins there gives the same dates; else `first`.
    pub(crate) fn restart(
        self,
        first: NaiveDate,
        last: NaiveDate,
        remaining: &[NaiveDate],
    ) -> NaiveDate {
        let start = remaining.first().copied().unwrap_or(first);
        if self.dates(start, last) == remaining {
            start
        } else {
            first
        }
    }
}

fn date(text: &str) -> Result<NaiveDate, DateError> {
    let date: NaiveDate = text
        .parse()
        .map_err(|_| DateError::NotADate(text.to_owned()))?;
    if YEARS.contains(&date.year()) {
        Ok(date)
    } else {
        Err(DateError::OutOfRange(date))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]

    use super::*;

    /// What can get into a date by mistake.
    const ODD: [&str; 12] = [
        "", "9", "-", "+", ".", "..", " ", "é", "\0", "e9", "999999", "-01",
    ];

    fn day(text: &str) -> NaiveDate {
        date(text).expect("a date")
    }

    fn days(texts: &[&str]) -> Vec<NaiveDate> {
        texts.iter().map(|text| day(text)).collect()
    }

    #[test]
    fn a_date_or_a_range() {
        assert_eq!("2026-11-21".parse(), Ok(AsOf::Date(day("2026-11-21"))));
        let range = AsOf::Range(day("2026-01-01"), day("2026-01-01"));
        assert_eq!("2026-01-01..2026-01-01".parse(), Ok(range));
        for wrong in ["2026-13-01", "21.11.2026", "yesterday", "2026-01-01..", ""] {
            assert!(
                matches!(wrong.parse::<AsOf>(), Err(DateError::NotADate(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_range_must_not_end_before_it_begins() {
        let (first, last) = (day("2026-02-01"), day("2026-01-01"));
        let error = Err::<AsOf, _>(DateError::Backwards { first, last });
        assert_eq!("2026-02-01..2026-01-01".parse(), error);
    }

    #[test]
    fn whatever_is_written_is_a_date_or_refused_in_one_line() {
        let texts = ["2026-11-21", "2026-01-31..2026-06-30"];
        let edited = texts.iter().flat_map(|text| {
            (0..=text.len()).flat_map(move |at| {
                ODD.iter().flat_map(move |odd| {
                    let (before, after) = text.split_at(at);
                    let shorter = after.get(1..).unwrap_or_default();
                    [
                        format!("{before}{odd}{after}"),
                        format!("{before}{odd}{shorter}"),
                    ]
                })
            })
        });
        for text in edited {
            match text.parse::<AsOf>() {
                Ok(AsOf::Date(date)) => assert!(YEARS.contains(&date.year()), "{text}"),
                Ok(AsOf::Range(first, last)) => {
                    assert!(first <= last, "{text}");
                    let all = Every::Month.dates(first, last);
                    assert_eq!(all.first(), Some(&first));
                }
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            }
        }
    }

    #[test]
    fn steps_include_both_ends() {
        let dates = |every: Every, first, last| every.dates(day(first), day(last));
        assert_eq!(
            dates(Every::Day, "2028-02-28", "2028-03-01"),
            days(&["2028-02-28", "2028-02-29", "2028-03-01"])
        );
        assert_eq!(
            dates(Every::Week, "2026-01-01", "2026-01-15"),
            days(&["2026-01-01", "2026-01-08", "2026-01-15"])
        );
        assert_eq!(
            dates(Every::Month, "2026-01-31", "2026-04-29"),
            days(&["2026-01-31", "2026-02-28", "2026-03-31"])
        );
    }

    #[test]
    fn a_restart_gives_the_same_dates_or_begins_anew() {
        let (first, last) = (day("2026-01-31"), day("2026-04-30"));
        let all = Every::Month.dates(first, last);
        assert_eq!(
            Every::Month.restart(first, last, &all[2..]),
            day("2026-03-31")
        );
        assert_eq!(Every::Month.restart(first, last, &all[1..]), first);
    }
}
