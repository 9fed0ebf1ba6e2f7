//! Scores by cut points: the bin of a value, and its place between 0 and 1.
//!
//! Equal values get equal scores, which ranking does not give; the cut points can be published and
//! used again.

/// Ascending cut points of k bins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuts<'a>(&'a [f64]);

impl<'a> Cuts<'a> {
    /// `None` without cut points, or when they are not ascending numbers (ties are fine).
    pub fn try_new(cuts: &'a [f64]) -> Option<Self> {
        let is_ascending = cuts.is_sorted() && cuts.iter().all(|cut| !cut.is_nan());
        (is_ascending && !cuts.is_empty()).then_some(Self(cuts))
    }

    /// 1 + the number of cut points below the value: 1 … k; `None` for NaN.
    pub fn score_bin(self, value: f64) -> Option<usize> {
        (!value.is_nan()).then(|| 1 + self.below(value))
    }

    /// The value's place in the distribution: i / k at cut point i, linear between cut points, 0
    /// below the first and 1 above the last; tied cut points share the mean of their places; `None`
    /// for NaN.
    pub fn percent_score(self, value: f64) -> Option<f64> {
        if value.is_nan() {
            return None;
        }
        let below = self.below(value);
        if self.0.get(below) == Some(&value) {
            return Some(self.place(value));
        }
        let (Some(low), Some(high)) = (
            below.checked_sub(1).map(|i| self.0[i]),
            self.0.get(below).copied(),
        ) else {
            return Some(if below == 0 { 0.0 } else { 1.0 });
        };
        let (place_low, place_high) = (self.place(low), self.place(high));
        Some(place_low + (place_high - place_low) * ((value - low) / (high - low)))
    }

    fn below(self, value: f64) -> usize {
        self.0.partition_point(|cut| *cut < value)
    }

    /// The mean place of the cut points that equal `cut`.
    fn place(self, cut: f64) -> f64 {
        let (first, after) = (
            self.below(cut),
            self.0.partition_point(|other| *other <= cut),
        );
        (first + 1 + after) as f64 / 2.0 / (self.0.len() + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn percent(value: f64, cuts: &[f64]) -> Option<f64> {
        Cuts::try_new(cuts)?.percent_score(value)
    }

    fn bin(value: f64, cuts: &[f64]) -> Option<usize> {
        Cuts::try_new(cuts)?.score_bin(value)
    }

    #[test]
    fn value_at_a_cut_belongs_to_the_lower_bin() {
        let cuts = [10.0, 20.0, 30.0];
        let bins = [5.0, 10.0, 10.5, 20.0, 30.0, 31.0].map(|value| bin(value, &cuts));
        assert_eq!(bins, [1, 1, 2, 2, 3, 4].map(Some));
    }

    #[test]
    fn place_is_linear_between_cuts() {
        let cuts = [10.0, 20.0, 30.0];
        let places = [9.0, 10.0, 15.0, 20.0, 30.0, 31.0].map(|value| percent(value, &cuts));
        assert_eq!(places, [0.0, 0.25, 0.375, 0.5, 0.75, 1.0].map(Some));
    }

    #[test]
    fn tied_cuts_share_the_mean_of_their_places() {
        assert_eq!(percent(1.0, &[1.0, 1.0, 2.0]), Some(0.375));
        assert_eq!(percent(1.5, &[1.0, 1.0, 2.0]), Some(0.5625));
        assert_eq!(percent(7.0, &[7.0, 7.0, 7.0]), Some(0.5));
    }

    #[test]
    fn cuts_that_do_not_ascend_are_refused() {
        assert_eq!(Cuts::try_new(&[2.0, 1.0]), None);
        assert_eq!(Cuts::try_new(&[]), None);
        assert_eq!(Cuts::try_new(&[f64::NAN]), None);
    }

    #[test]
    fn nan_has_no_score() {
        assert_eq!(
            (bin(f64::NAN, &[1.0]), percent(f64::NAN, &[1.0])),
            (None, None)
        );
    }

    #[test]
    fn infinite_values_score_at_the_ends() {
        assert_eq!(percent(f64::INFINITY, &[1.0, 2.0]), Some(1.0));
        assert_eq!(percent(f64::NEG_INFINITY, &[1.0, 2.0]), Some(0.0));
    }

    proptest! {
        #[test]
        fn scores_rise_with_the_value(
            cuts in prop::collection::vec(-20..20_i32, 1..30),
            values in prop::collection::vec(-25.0..25.0_f64, 2..20),
        ) {
            let mut cuts: Vec<f64> = cuts.into_iter().map(f64::from).collect();
            cuts.sort_unstable_by(f64::total_cmp);
            let mut values = values;
            values.extend(&cuts);
            values.sort_unstable_by(f64::total_cmp);
            let places: Vec<f64> = values.iter().filter_map(|v| percent(*v, &cuts)).collect();
            let bins: Vec<usize> = values.iter().filter_map(|v| bin(*v, &cuts)).collect();
            prop_assert_eq!(places.len(), values.len());
            prop_assert!(places.is_sorted() && bins.is_sorted());
            prop_assert!(places.iter().all(|place| (0.0..=1.0).contains(place)));
        }
    }
}
