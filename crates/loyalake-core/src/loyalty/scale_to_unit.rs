//! Answers on scales of different ends, made comparable.

/// The place of a value on its scale: 0 at `scale_min`, 1 at `scale_max`.
///
/// # Formula
/// (value − min) / (max − min); `scale_min` may be the larger end, 0 then is there
///
/// # Domain
/// `None` outside of the scale, for equal ends, and for ends whose distance is not finite.
///
/// # Example
/// ```
/// use loyalake_core::loyalty::scale_to_unit::scale_to_unit;
///
/// assert_eq!(scale_to_unit(2.0, 1.0, 5.0), Some(0.25));
/// assert_eq!(scale_to_unit(2.0, 5.0, 1.0), Some(0.75));
/// ```
pub fn scale_to_unit(value: f64, scale_min: f64, scale_max: f64) -> Option<f64> {
    let width = scale_max - scale_min;
    let is_inside = scale_min.min(scale_max) <= value && value <= scale_min.max(scale_max);
    // 0 / −4 is −0
    let unit = (value - scale_min) / width + 0.0;
    (is_inside && width.is_finite() && width != 0.0).then_some(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn outside_of_a_scale_there_is_no_place() {
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        let outside = [
            (0.9, 1.0, 5.0),
            (5.1, 1.0, 5.0),
            (0.9, 5.0, 1.0),
            (3.0, 3.0, 3.0),
            (nan, 1.0, 5.0),
            (3.0, nan, 5.0),
            (3.0, 1.0, nan),
            (infinity, 1.0, infinity),
            (3.0, 1.0, infinity),
            (0.0, f64::MIN, f64::MAX),
        ];
        for (value, min, max) in outside {
            assert_eq!(
                scale_to_unit(value, min, max),
                None,
                "{value}, {min}, {max}"
            );
        }
    }

    proptest! {
        #[test]
        fn ends_are_exact_and_the_way_between_is_monotone(
            min in -1e9..1e9_f64, max in -1e9..1e9_f64, at in 0.0..1.0_f64, to in 0.0..1.0_f64,
        ) {
            prop_assume!(min.to_bits() != max.to_bits());
            let bits = |value| scale_to_unit(value, min, max).map(f64::to_bits);
            prop_assert_eq!(bits(min), Some(0));
            prop_assert_eq!(bits(max), Some(1.0_f64.to_bits()));
            let (low, high) = (at.min(to), at.max(to));
            let place = |share: f64| {
                let value = min + share * (max - min);
                scale_to_unit(value.clamp(min.min(max), min.max(max)), min, max)
            };
            prop_assert!(place(low).is_some() && place(low) <= place(high));
        }
    }
}
