//! A score from weighted components, some of which may be missing.

/// One component of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Between 0 and 1; `None` when missing.
    pub value: Option<f64>,
    /// Not negative.
    pub weight: f64,
}

/// A score and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedScore {
    /// 0 to 100; `None` when all weight is on missing components.
    pub score: Option<f64>,
    /// The share of the weight that is on components that are present.
    pub coverage: f64,
    /// Points that each component contributes, in the order given; `None` when missing.
    pub contributions: Vec<Option<f64>>,
}

/// The weighted mean of the components that are present, as points out of 100.
///
/// # Formula
/// contributionᵢ = 100 wᵢ vᵢ / Σ w over the components present; score = Σ contributionᵢ; coverage =
/// Σ w present / Σ w
///
/// # Domain
/// `None` when a value is outside 0 to 1 or a weight is negative or not finite.
///
/// # Numerics
/// The score is defined as the sum of the contributions in their order, so it equals their sum to
/// the last bit; should rounding lift that sum above 100, the largest contribution gives way.
pub fn weighted_score(components: &[Component]) -> Option<WeightedScore> {
    let is_valid = |component: &Component| {
        component.weight >= 0.0
            && component.weight.is_finite()
            && component
                .value
                .is_none_or(|value| (0.0..=1.0).contains(&value))
    };
    if !components.iter().all(is_valid) {
        return None;
    }
    let total: f64 = components.iter().map(|component| component.weight).sum();
    let present = components
        .iter()
        .filter(|component| component.value.is_some());
    let present: f64 = present.map(|component| component.weight).sum();
    if present <= 0.0 {
        let contributions = vec![None; components.len()];
        return Some(WeightedScore {
            score: None,
            coverage: 0.0,
            contributions,
        });
    }
    let points =
        |component: &Component| Some(100.0 * component.weight * component.value? / present);
    let mut contributions: Vec<Option<f64>> = components.iter().map(points).collect();
    let sum = |contributions: &[Option<f64>]| contributions.iter().flatten().sum::<f64>();
    let mut score = sum(&contributions);
    while score > 100.0 {
        let largest = contributions
            .iter_mut()
            .flatten()
            .max_by(|a, b| a.total_cmp(b))?;
        *largest -= score - 100.0;
        score = sum(&contributions);
    }
    Some(WeightedScore {
        score: Some(score),
        coverage: present / total,
        contributions,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(components: &[(Option<f64>, f64)]) -> Option<WeightedScore> {
        let component = |(value, weight): &(Option<f64>, f64)| Component {
            value: *value,
            weight: *weight,
        };
        weighted_score(&components.iter().map(component).collect::<Vec<_>>())
    }

    #[test]
    fn weights_are_rescaled_over_the_components_present() {
        let result = score(&[(Some(1.0), 0.25), (None, 0.5), (Some(0.5), 0.25)]);
        let expected = WeightedScore {
            score: Some(75.0),
            coverage: 0.5,
            contributions: vec![Some(50.0), None, Some(25.0)],
        };
        assert_eq!(result, Some(expected));
    }

    #[test]
    fn without_components_there_is_no_score() {
        let nothing = |n| WeightedScore {
            score: None,
            coverage: 0.0,
            contributions: vec![None; n],
        };
        assert_eq!(score(&[]), Some(nothing(0)));
        assert_eq!(score(&[(None, 1.0)]), Some(nothing(1)));
        assert_eq!(score(&[(None, 0.0), (None, 2.0)]), Some(nothing(2)));
    }

    #[test]
    fn values_and_weights_outside_the_domain_are_refused() {
        for component in [(Some(1.5), 1.0), (Some(f64::NAN), 1.0), (Some(0.5), -1.0)] {
            assert_eq!(score(&[component]), None);
        }
        assert_eq!(score(&[(Some(0.5), f64::INFINITY)]), None);
    }

    proptest! {
        #[test]
        fn contributions_add_up_to_the_score_exactly(
            components in prop::collection::vec(
                (prop::option::of(prop_oneof![Just(1.0), 0.0..=1.0_f64]), 0.001..1.0_f64), 0..15),
        ) {
            let result = score(&components);
            prop_assert!(result.is_some());
            let result = result.unwrap_or_else(|| unreachable!());
            let sum: f64 = result.contributions.iter().flatten().sum();
            prop_assert!((0.0..=1.0).contains(&result.coverage));
            if let Some(score) = result.score {
                prop_assert_eq!(score.to_bits(), sum.to_bits());
                prop_assert!((0.0..=100.0).contains(&score));
            }
        }

        #[test]
        fn a_greater_value_never_lowers_the_score(
            components in prop::collection::vec(
                (prop::option::of(0.0..=1.0_f64), 0.001..1.0_f64), 1..15),
            place in any::<prop::sample::Index>(),
            share in 0.0..=1.0_f64,
        ) {
            let place = place.index(components.len());
            if let Some(value) = components[place].0 {
                let mut better = components.clone();
                better[place].0 = Some(value + share * (1.0 - value));
                let of = |components| score(components).and_then(|result| result.score);
                let (before, after) = (of(&components), of(&better));
                let is_kept = |(after, before): (f64, f64)| after >= before - 1e-12;
                prop_assert!(after.zip(before).is_some_and(is_kept));
            }
        }
    }
}
