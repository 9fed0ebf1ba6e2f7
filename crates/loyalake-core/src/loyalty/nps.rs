//! Net promoter score of a group of answers.
//!
//! Source: Reichheld (2003), "The One Number You Need to Grow", Harvard Business Review 81(12);
//! Rocks (2016), "Interval Estimation for the 'Net Promoter Score'", The American Statistician
//! 70(4), for the interval by the variance of a difference of multinomial shares.

use crate::normal::normal_quantile;

/// Answers from 0 to 10, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// 9 and 10.
    pub promoters: u64,
    /// 7 and 8.
    pub passives: u64,
    /// 0 to 6.
    pub detractors: u64,
    /// No answers: fractions, and numbers outside of 0 to 10.
    pub invalid: u64,
}

/// A score with its 95 % interval, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nps {
    /// −100 to 100.
    pub score: f64,
    /// −100 or more.
    pub ci_low: f64,
    /// 100 or less.
    pub ci_high: f64,
}

impl Answers {
    /// Counts an answer.
    pub fn update(&mut self, answer: f64) {
        let is_valid = (0.0..=10.0).contains(&answer) && answer.fract() == 0.0;
        let count = match answer {
            _ if !is_valid => &mut self.invalid,
            9.0.. => &mut self.promoters,
            7.0.. => &mut self.passives,
            _ => &mut self.detractors,
        };
        *count += 1;
    }

    /// Adds what has been counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.promoters += other.promoters;
        self.passives += other.passives;
        self.detractors += other.detractors;
        self.invalid += other.invalid;
    }

    /// Valid answers.
    pub fn responses(&self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// The score of the valid answers.
    ///
    /// # Formula
    /// p − q with p and q the shares of promoters and detractors, times 100; the interval is
    /// ± z √((p + q − (p − q)²) / n), cut at ±100
    ///
    /// # Domain
    /// `None` without a valid answer.
    pub fn finish(&self) -> Option<Nps> {
        if self.responses() == 0 {
            return None;
        }
        let n = self.responses() as f64;
        let (promoters, detractors) = (self.promoters as f64, self.detractors as f64);
        let net = (promoters - detractors) / n;
        let variance = ((promoters + detractors) / n - net * net).max(0.0);
        let half_width = normal_quantile(0.975) * (variance / n).sqrt();
        Some(Nps {
            score: 100.0 * net,
            ci_low: (100.0 * (net - half_width)).max(-100.0),
            ci_high: (100.0 * (net + half_width)).min(100.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answers(counts: (u64, u64, u64)) -> Answers {
        let (promoters, passives, detractors) = counts;
        Answers {
            promoters,
            passives,
            detractors,
            invalid: 0,
        }
    }

    #[test]
    fn answers_are_sorted_by_their_number() {
        let mut counted = Answers::default();
        for answer in 0..=10_u8 {
            counted.update(answer.into());
        }
        assert_eq!(counted, answers((2, 2, 7)));
        for answer in [-1.0, 10.5, 9.5, 11.0, f64::NAN, f64::INFINITY] {
            counted.update(answer);
        }
        assert_eq!(
            counted,
            Answers {
                invalid: 6,
                ..answers((2, 2, 7))
            }
        );
    }

    #[test]
    fn interval_is_that_of_a_difference_of_shares() {
        // 50 promoters, 30 passives, 20 detractors: sd of the net share √(0.7 − 0.09)
        let nps = answers((50, 30, 20)).finish().unwrap_or(Nps {
            score: f64::NAN,
            ci_low: f64::NAN,
            ci_high: f64::NAN,
        });
        let half_width = 195.996_398_454_005_4 * (0.61_f64 / 100.0).sqrt();
        assert!((nps.score - 30.0).abs() < 1e-13);
        assert!((nps.ci_high - 30.0 - half_width).abs() < 1e-12);
        assert!((30.0 - nps.ci_low - half_width).abs() < 1e-12);
    }

    #[test]
    fn interval_is_cut_at_100_points() {
        let all = Nps {
            score: 100.0,
            ci_low: 100.0,
            ci_high: 100.0,
        };
        assert_eq!(answers((3, 0, 0)).finish(), Some(all));
        assert_eq!(
            answers((5, 1, 0)).finish().map(|nps| nps.ci_high),
            Some(100.0)
        );
        assert_eq!(
            answers((0, 1, 5)).finish().map(|nps| nps.ci_low),
            Some(-100.0)
        );
        assert_eq!(
            Answers {
                invalid: 3,
                ..Answers::default()
            }
            .finish(),
            None
        );
    }

    proptest! {
        #[test]
        fn another_promoter_never_lowers_the_score(
            counts in (0..1_000_000_u64, 0..1_000_000_u64, 0..1_000_000_u64),
        ) {
            prop_assume!(counts != (0, 0, 0));
            let score = |answer: Option<f64>| {
                let mut counted = answers(counts);
                counted.update(answer.unwrap_or(0.5));
                counted.finish().map(|nps| nps.score)
            };
            prop_assert!(score(Some(10.0)) >= score(None));
            prop_assert!(score(Some(0.0)) <= score(None));
            prop_assert!(score(Some(7.0)).map(f64::abs) <= score(None).map(f64::abs));
        }

        #[test]
        fn parts_add_up_in_any_order(
            all in prop::collection::vec(-1..12_i8, 0..50), split in 0_usize..50,
        ) {
            let count = |part: &[i8]| {
                let mut counted = Answers::default();
                for answer in part {
                    counted.update(f64::from(*answer));
                }
                counted
            };
            let (left, right) = all.split_at(split.min(all.len()));
            let (mut forward, mut backward) = (count(left), count(right));
            forward.merge(&count(right));
            backward.merge(&count(left));
            prop_assert_eq!((forward, backward), (count(&all), count(&all)));
        }
    }
}
