//! What a model knows of one customer.

/// Repeat purchases over time.
///
/// # Domain
/// x a whole number ≥ 0, 0 ≤ `t_x` ≤ T, all finite; without a repeat purchase there is no last one:
/// `t_x` = 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    pub(crate) x: f64,
    pub(crate) t_x: f64,
    pub(crate) age: f64,
}

impl History {
    /// A customer who has just made the first purchase.
    pub const NEW: Self = Self {
        x: 0.0,
        t_x: 0.0,
        age: 0.0,
    };

    /// `None` outside the domain.
    #[inline]
    pub fn try_new(repeat_purchases: f64, recency: f64, age: f64) -> Option<Self> {
        let is_count = repeat_purchases >= 0.0 && is_whole(repeat_purchases);
        let is_in_order = 0.0 <= recency && recency <= age && age.is_finite();
        let has_last = repeat_purchases > 0.0 || recency <= 0.0;
        (is_count && is_in_order && has_last).then_some(Self {
            x: repeat_purchases,
            t_x: recency,
            age,
        })
    }
}

/// Value of repeat purchases.
///
/// # Domain
/// x a whole number ≥ 1, mean value m > 0, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spend {
    pub(crate) x: f64,
    pub(crate) mean: f64,
}

impl Spend {
    /// `None` outside the domain.
    #[inline]
    pub fn try_new(repeat_purchases: f64, mean_repeat_value: f64) -> Option<Self> {
        let is_count = repeat_purchases >= 1.0 && is_whole(repeat_purchases);
        (is_count && mean_repeat_value > 0.0 && mean_repeat_value.is_finite()).then_some(Self {
            x: repeat_purchases,
            mean: mean_repeat_value,
        })
    }
}

/// Whether it is a finite number without a fraction.
/// Whether a number is whole; quicker than by its fraction.
#[inline]
pub(super) fn is_whole(number: f64) -> bool {
    /// From here on all doubles are.
    const LARGE: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "compared with the number afterwards"
    )]
    let truncated = number as i64 as f64;
    (truncated - number).abs() < f64::MIN_POSITIVE || (number.abs() >= LARGE && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_histories_are_none() {
        let impossible = [
            (2.0, 40.0, 38.0),
            (-1.0, 0.0, 38.0),
            (1.5, 3.0, 38.0),
            (0.0, 3.0, 38.0),
            (2.0, -1.0, 38.0),
            (f64::NAN, 1.0, 2.0),
            (1.0, f64::NAN, 2.0),
            (1.0, 1.0, f64::INFINITY),
            (f64::INFINITY, 1.0, 2.0),
        ];
        for (x, t_x, age) in impossible {
            assert_eq!(History::try_new(x, t_x, age), None, "({x}, {t_x}, {age})");
        }
        assert!(History::try_new(3.0, 38.0, 38.0).is_some());
        assert!(History::try_new(0.0, 0.0, 0.0).is_some());
    }

    #[test]
    fn spend_needs_a_repeat_purchase_and_a_positive_value() {
        for (x, mean) in [
            (0.0, 5.0),
            (1.0, 0.0),
            (1.0, -5.0),
            (1.0, f64::INFINITY),
            (2.5, 5.0),
        ] {
            assert_eq!(Spend::try_new(x, mean), None, "({x}, {mean})");
        }
        assert!(Spend::try_new(1.0, 0.01).is_some());
    }
}
