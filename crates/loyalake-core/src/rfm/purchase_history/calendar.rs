//! Months of days.

/// From March of year 0 to January 1970.
const MONTHS_TO_1970: i64 = 12 * 1969 + 10;

/// The calendar month of a day that counts from 1970-01-01: months from January 1970, in the
/// Gregorian calendar.
///
/// Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: years begin
/// in March there.
pub(super) fn calendar_month(day: i32) -> i64 {
    let since_march = i64::from(day) + 719_468;
    let (era, day_of_era) = (
        since_march.div_euclid(146_097),
        since_march.rem_euclid(146_097),
    );
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    12 * (400 * era + year_of_era) + (5 * day_of_year + 2) / 153 - MONTHS_TO_1970
}
