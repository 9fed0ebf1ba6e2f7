//! The Kaplan-Meier estimate of survival: the share that has not ended by a time, some being still
//! under observation.
//!
//! Source: Kaplan & Meier (1958), "Nonparametric estimation from incomplete observations";
//! variance: Greenwood (1926); interval on the log(−log) scale: Kalbfleisch & Prentice (1980), "The
//! statistical analysis of failure time data".
//! Not here: left truncation, weights.

use std::iter::{Copied, Peekable};
use std::slice::Iter;

use crate::tally::{Bucket, Tally};

/// The 97.5 % quantile of the normal distribution.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// One time of a survival curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalStep {
    /// Duration at which somebody ended or left observation.
    pub time: f64,
    /// Those with at least this duration.
    pub at_risk: u64,
    /// Those who ended at this time.
    pub ended: u64,
    /// Share expected to last longer than this time.
    pub survival: f64,
    /// Lower end of the 95 % interval.
    pub ci_low: f64,
    /// Upper end of the 95 % interval.
    pub ci_high: f64,
}

/// Durations of those who ended and of those still under observation.
#[derive(Debug, Clone)]
pub struct KaplanMeier {
    /// Durations that ended.
    pub ended: Tally,
    /// Durations that go on.
    pub censored: Tally,
}

impl KaplanMeier {
    /// Nobody yet.
    pub fn new() -> Self {
        Self {
            ended: Tally::new(usize::MAX),
            censored: Tally::new(usize::MAX),
        }
    }

    /// Adds one duration; a negative or infinite one is outside the domain and changes nothing.
    pub fn update(&mut self, duration: f64, is_ended: bool) {
        if duration >= 0.0 {
            let tally = if is_ended {
                &mut self.ended
            } else {
                &mut self.censored
            };
            tally.update(duration, 1);
        }
    }

    /// The curve, one step for each duration that occurs; `None` without any.
    ///
    /// # Formula
    /// S(t) = Π (1 − dᵢ / nᵢ) over times up to t; interval S^exp(± z √V / ln S) with V = Σ dᵢ / (nᵢ
    /// (nᵢ − dᵢ))
    ///
    /// # Domain
    /// Where S is 1 or 0 the interval is the point itself.
    pub fn finish(&mut self) -> Option<Vec<SurvivalStep>> {
        let (ended, censored) = (self.ended.finish().1, self.censored.finish().1);
        let rows = |buckets: &[Bucket]| buckets.iter().map(|bucket| bucket.count).sum::<u64>();
        let mut at_risk = rows(&ended) + rows(&censored);
        if at_risk == 0 {
            return None;
        }
        let (mut survival, mut variance) = (1.0, 0.0);
        let mut curve = Vec::with_capacity(ended.len() + censored.len());
        for (time, ended, censored) in by_time(&ended, &censored) {
            let (d, n) = (ended as f64, at_risk as f64);
            survival *= (n - d) / n;
            if ended > 0 && ended < at_risk {
                variance += d / (n * (n - d));
            }
            let (ci_low, ci_high) = interval(survival, variance);
            curve.push(SurvivalStep {
                time,
                at_risk,
                ended,
                survival,
                ci_low,
                ci_high,
            });
            at_risk -= ended + censored;
        }
        Some(curve)
    }
}

impl Default for KaplanMeier {
    fn default() -> Self {
        Self::new()
    }
}

/// Both tallies as (time, ended, censored), ascending.
fn by_time(ended: &[Bucket], censored: &[Bucket]) -> impl Iterator<Item = (f64, u64, u64)> {
    let mut ended = ended.iter().copied().peekable();
    let mut censored = censored.iter().copied().peekable();
    std::iter::from_fn(move || {
        let time = match (ended.peek(), censored.peek()) {
            (Some(ended), Some(censored)) => ended.value.min(censored.value),
            (Some(one), None) | (None, Some(one)) => one.value,
            (None, None) => return None,
        };
        let count_at = |buckets: &mut Peekable<Copied<Iter<Bucket>>>| {
            buckets
                .next_if(|bucket| bucket.value <= time)
                .map_or(0, |bucket| bucket.count)
        };
        Some((time, count_at(&mut ended), count_at(&mut censored)))
    })
}

fn interval(survival: f64, variance: f64) -> (f64, f64) {
    if survival <= 0.0 || survival >= 1.0 {
        return (survival, survival);
    }
    let log_survival = survival.ln();
    let half_width = NORMAL_QUANTILE * variance.sqrt() / -log_survival;
    (
        (log_survival * half_width.exp()).exp(),
        (log_survival * (-half_width).exp()).exp(),
    )
}

/// Mean duration up to the horizon: the area under the curve from 0 to `horizon`.
///
/// # Domain
/// `steps` are (time, survival), ascending in time; after the last one the curve stays flat. `None`
/// without steps or with a negative or infinite horizon.
pub fn restricted_mean(steps: impl IntoIterator<Item = (f64, f64)>, horizon: f64) -> Option<f64> {
    if !(horizon >= 0.0 && horizon.is_finite()) {
        return None;
    }
    let mut steps = steps.into_iter().peekable();
    steps.peek()?;
    let (mut area, mut reached, mut survival) = (0.0, 0.0, 1.0);
    for (time, next_survival) in steps.take_while(|(time, _)| *time < horizon) {
        area += survival * (time - reached);
        (reached, survival) = (time, next_survival);
    }
    Some(area + survival * (horizon - reached))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn estimate(durations: &[(f64, bool)]) -> KaplanMeier {
        let mut estimate = KaplanMeier::new();
        for (duration, is_ended) in durations {
            estimate.update(*duration, *is_ended);
        }
        estimate
    }

    fn duration() -> impl Strategy<Value = (f64, bool)> {
        ((0_i32..40).prop_map(f64::from), any::<bool>())
    }

    #[test]
    fn curve_of_freireich_1963_matches_the_textbook() {
        // 6-mercaptopurine group, weeks in remission; Kleinbaum & Klein (2012), table 2.1
        let ended = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0].map(|t| (t, true));
        let going_on = [
            6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0,
        ];
        let durations = [&ended[..], &going_on.map(|t| (t, false))].concat();
        let curve = estimate(&durations).finish().unwrap_or_default();
        let at = |time: f64| {
            let step = curve.iter().find(|step| step.time >= time);
            step.map(|step| {
                (
                    step.at_risk,
                    step.ended,
                    (step.survival * 1e4).round() / 1e4,
                )
            })
        };
        assert_eq!(at(6.0), Some((21, 3, 0.8571)));
        assert_eq!(at(7.0), Some((17, 1, 0.8067)));
        assert_eq!(at(10.0), Some((15, 1, 0.7529)));
        assert_eq!(at(16.0), Some((11, 1, 0.6275)));
        assert_eq!(at(23.0), Some((6, 1, 0.4482)));
        assert_eq!(at(35.0), Some((1, 0, 0.4482)));
    }

    #[test]
    fn interval_is_the_point_where_survival_is_certain() {
        let curve = estimate(&[(1.0, false), (2.0, true)])
            .finish()
            .unwrap_or_default();
        let ends: Vec<_> = curve
            .iter()
            .map(|s| (s.survival, s.ci_low, s.ci_high))
            .collect();
        assert_eq!(ends, [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0)]);
    }

    #[test]
    fn durations_outside_the_domain_change_nothing() {
        assert_eq!(estimate(&[(-1.0, true), (f64::NAN, true)]).finish(), None);
        assert_eq!(estimate(&[(f64::INFINITY, false)]).finish(), None);
    }

    #[test]
    fn restricted_mean_is_the_area_under_the_steps() {
        let steps = [(2.0, 0.5), (4.0, 0.25)];
        let mean = |horizon| restricted_mean(steps, horizon);
        assert_eq!(
            [0.0, 1.0, 2.0, 3.0, 8.0].map(mean),
            [0.0, 1.0, 2.0, 2.5, 4.0].map(Some)
        );
    }

    #[test]
    fn restricted_mean_needs_a_curve_and_a_horizon() {
        assert_eq!(restricted_mean([], 1.0), None);
        assert_eq!(restricted_mean([(1.0, 0.5)], -1.0), None);
        assert_eq!(restricted_mean([(1.0, 0.5)], f64::INFINITY), None);
    }

    proptest! {
        #[test]
        fn merging_equals_one_pass_and_survival_falls(
            durations in prop::collection::vec(duration(), 1..300),
            split in 0_usize..300,
        ) {
            let whole = estimate(&durations).finish().unwrap_or_default();
            let (left, right) = durations.split_at(split.min(durations.len()));
            let (mut merged, mut other) = (estimate(right), estimate(left));
            merged.ended.merge(0, other.ended.finish().1);
            merged.censored.merge(0, other.censored.finish().1);
            prop_assert_eq!(merged.finish().unwrap_or_default(), whole.clone());

            prop_assert!(whole.is_sorted_by(|a, b| a.time < b.time && a.survival >= b.survival));
            for step in whole {
                prop_assert!(0.0 <= step.ci_low && step.ci_low <= step.survival);
                prop_assert!(step.survival <= step.ci_high && step.ci_high <= 1.0);
            }
        }

        #[test]
        fn mean_without_censoring_is_the_mean(
            durations in prop::collection::vec((0_i32..40).prop_map(f64::from), 1..100),
        ) {
            let all: Vec<_> = durations.iter().map(|duration| (*duration, true)).collect();
            let curve = estimate(&all).finish().unwrap_or_default();
            let mean = restricted_mean(curve.iter().map(|s| (s.time, s.survival)), 100.0);
            let expected = durations.iter().sum::<f64>() / durations.len() as f64;
            prop_assert!(mean.is_some_and(|mean| (mean - expected).abs() < 1e-9));
        }
    }
}
