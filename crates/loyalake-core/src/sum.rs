//! Sums that do not depend on the order of their terms.
//!
//! Source: Dekker (1971), "A floating-point technique for extending the available precision"; Hida,
//! Li & Bailey (2001), "Algorithms for quad-double precision floating point arithmetic" (accurate
//! addition).

/// What a total can be kept in.
pub trait Total: Copy + Default {
    /// The sum; `None` when it does not fit.
    #[must_use]
    fn plus(self, other: Self) -> Option<Self>;

    /// The difference of a total and a part of it.
    #[must_use]
    fn minus(self, part: Self) -> Self;
}

/// Units of a decimal number: exact.
impl Total for i128 {
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    fn minus(self, part: Self) -> Self {
        self.wrapping_sub(part)
    }
}

/// A sum of doubles in twice the precision of a double.
///
/// # Numerics
/// 106 bits: exact, so independent of the order of the terms, as long as the largest sum and the
/// smallest bit of a term are less than 2^106 apart (cents up to 10^14, for instance); relative
/// error 2^-104 beyond.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CompensatedSum {
    /// The rounded sum.
    pub high: f64,
    /// What rounding took away.
    pub low: f64,
}

impl CompensatedSum {
    /// The sum as a double.
    pub fn value(self) -> f64 {
        self.high + self.low
    }

    /// Adds one term.
    pub fn add(&mut self, term: f64) {
        *self = self.sum(term.into());
    }

    fn sum(self, other: Self) -> Self {
        let (high, rounding_high) = two_sum(self.high, other.high);
        let (low, rounding_low) = two_sum(self.low, other.low);
        let (high, rest) = two_sum(high, rounding_high + low);
        let (high, low) = two_sum(high, rest + rounding_low);
        Self { high, low }
    }
}

impl From<f64> for CompensatedSum {
    fn from(value: f64) -> Self {
        Self {
            high: value,
            low: 0.0,
        }
    }
}

impl Total for CompensatedSum {
    fn plus(self, other: Self) -> Option<Self> {
        let sum = self.sum(other);
        sum.high.is_finite().then_some(sum)
    }

    fn minus(self, part: Self) -> Self {
        self.sum(Self {
            high: -part.high,
            low: -part.low,
        })
    }
}

/// The rounded sum and exactly what rounding took away (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_rounded = sum - a;
    (sum, (a - (sum - b_rounded)) + (b - b_rounded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum_of(terms: &[f64]) -> CompensatedSum {
        let mut sum = CompensatedSum::default();
        for term in terms {
            sum.add(*term);
        }
        sum
    }

    #[test]
    fn small_terms_survive_a_large_one() {
        assert_eq!(
            sum_of(&[1e16, 1.0, 1.0, -1e16]).value().to_bits(),
            2.0_f64.to_bits()
        );
    }

    #[test]
    fn total_of_units_reports_overflow() {
        assert_eq!(i128::MAX.plus(1), None);
        assert_eq!(5_i128.plus(-7), Some(-2));
    }

    #[test]
    fn infinite_sum_does_not_fit() {
        assert_eq!(CompensatedSum::from(f64::MAX).plus(f64::MAX.into()), None);
    }

    proptest! {
        #[test]
        fn sum_of_money_does_not_depend_on_order(
            cents in prop::collection::vec(-1_000_000_000_i64..1_000_000_000, 0..200),
            split in 0_usize..200,
        ) {
            let money: Vec<f64> = cents.iter().map(|cents| *cents as f64 / 100.0).collect();
            let forward = sum_of(&money);
            let backward = sum_of(&money.iter().rev().copied().collect::<Vec<_>>());
            let (left, right) = money.split_at(split.min(money.len()));
            let merged = sum_of(right).plus(sum_of(left)).map_or(f64::NAN, CompensatedSum::value);
            prop_assert_eq!(forward.value().to_bits(), backward.value().to_bits());
            prop_assert_eq!(forward.value().to_bits(), merged.to_bits());
        }
    }
}
