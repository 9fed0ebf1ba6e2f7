//! Customer satisfaction: the share of the two best answers, and the mean on a common scale.

use super::scale_to_unit::scale_to_unit;
use super::wilson_interval::wilson_interval;
use crate::exact_sum::ExactSum;

/// Answers on any scales, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// Answers that are inside of their scale.
    pub responses: u64,
    /// Those of the two best steps.
    pub top_two: u64,
    /// Their places on their scales, 0 to 1.
    pub units: ExactSum,
}

/// Measures of satisfaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Csat {
    /// Share of the two best steps.
    pub top_two_box: f64,
    /// Mean place on the scale, 0 to 1.
    pub mean_unit: f64,
    /// Answers.
    pub responses: u64,
    /// Wilson's 95 % interval of `top_two_box`.
    pub ci_low: f64,
    /// Its upper end.
    pub ci_high: f64,
}

impl Answers {
    /// Counts an answer on a scale of whole steps from worst to best; one outside changes nothing.
    ///
    /// A scale whose best end is the lower number is given as (max, min).
    pub fn update(&mut self, answer: f64, scale_min: f64, scale_max: f64) {
        let Some(unit) = scale_to_unit(answer, scale_min, scale_max) else {
            return;
        };
        self.responses += 1;
        self.top_two += u64::from((answer - scale_max).abs() <= 1.0);
        self.units.add(unit);
    }

    /// Adds what has been counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.responses += other.responses;
        self.top_two += other.top_two;
        self.units.merge(&other.units);
    }

    /// The measures; `None` without answers.
    pub fn finish(&self) -> Option<Csat> {
        let (top_two, responses) = (self.top_two as f64, self.responses as f64);
        let (ci_low, ci_high) = wilson_interval(top_two, responses, 0.95)?;
        Some(Csat {
            top_two_box: top_two / responses,
            mean_unit: self.units.mean(self.responses),
            responses: self.responses,
            ci_low,
            ci_high,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(answers: &[(f64, f64, f64)]) -> Answers {
        let mut counted = Answers::default();
        for (answer, min, max) in answers {
            counted.update(*answer, *min, *max);
        }
        counted
    }

    #[test]
    fn top_boxes_lie_at_the_best_end_of_each_scale() {
        let answers = counted(&[
            (4.0, 1.0, 5.0),
            (3.0, 1.0, 5.0),
            (2.0, 5.0, 1.0),
            (3.0, 5.0, 1.0),
            (9.0, 0.0, 10.0),
            (6.0, 1.0, 5.0),
            (f64::NAN, 1.0, 5.0),
        ]);
        assert_eq!((answers.top_two, answers.responses), (3, 5));
        let unit = (0.75 + 0.5 + 0.75 + 0.5 + 0.9) / 5.0;
        assert!(
            answers
                .finish()
                .is_some_and(|csat| (csat.mean_unit - unit).abs() < 1e-15)
        );
    }

    #[test]
    fn interval_is_wilsons() {
        let csat = counted(&[vec![(5.0, 1.0, 5.0); 81], vec![(2.0, 1.0, 5.0); 182]].concat());
        let ends = csat.finish().map(|csat| (csat.ci_low, csat.ci_high));
        assert_eq!(ends, wilson_interval(81.0, 263.0, 0.95));
        assert_eq!(counted(&[(6.0, 1.0, 5.0)]).finish(), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order(
            all in prop::collection::vec((0.0..6.0_f64, 0.0..2.0_f64, 4.0..7.0_f64), 0..50),
            split in 0_usize..50,
        ) {
            let (left, right) = all.split_at(split.min(all.len()));
            let (mut forward, mut backward) = (counted(left), counted(right));
            forward.merge(&counted(right));
            backward.merge(&counted(left));
            prop_assert_eq!((forward, backward), (counted(&all), counted(&all)));
        }

        #[test]
        fn a_reversed_scale_mirrors_the_answers(
            all in prop::collection::vec(1..=5_i8, 1..50),
        ) {
            let on = |min: f64, max: f64, of: fn(f64) -> f64| {
                let answers = all.iter().map(|answer| (of(f64::from(*answer)), min, max));
                counted(&answers.collect::<Vec<_>>()).finish()
            };
            prop_assert_eq!(on(1.0, 5.0, |answer| answer), on(5.0, 1.0, |answer| 6.0 - answer));
        }
    }
}
