//! Kaplan-Meier curves of lifelines, see `survival/reference.py`.

use loyalake_core::survival::kaplan_meier::{KaplanMeier, restricted_mean};

use super::read;

const TOLERANCE: f64 = 1e-12;

/// The lines of one set of data, without its name.
fn lines_of<'a>(text: &'a str, data: &str) -> Vec<Vec<&'a str>> {
    let lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    lines
        .filter(|fields| fields[0] == data)
        .map(|fields| fields[1..].to_vec())
        .collect()
}

#[test]
fn survival_curves_match_lifelines() {
    let durations = read("golden/survival/durations.csv");
    let published = read("golden/survival/kaplan_meier.csv");
    for data in ["waltons", "rossi", "leukemia", "g3"] {
        let mut estimate = KaplanMeier::new();
        for fields in lines_of(&durations, data) {
            estimate.update(fields[0].parse().unwrap(), fields[1] == "true");
        }
        let curve = estimate.finish().unwrap();
        let published = lines_of(&published, data);
        assert_eq!(curve.len(), published.len(), "{data}");
        for (step, fields) in curve.iter().zip(published) {
            let steps = curve.iter().map(|step| (step.time, step.survival));
            let mean = restricted_mean(steps, step.time).unwrap();
            let (at_risk, ended) = (step.at_risk as f64, step.ended as f64);
            let computed = [
                step.time,
                at_risk,
                ended,
                step.survival,
                step.ci_low,
                step.ci_high,
                mean,
            ];
            for (computed, field) in computed.iter().zip(fields) {
                let expected: f64 = field.parse().unwrap();
                let error = (computed - expected).abs();
                assert!(
                    error <= TOLERANCE * expected.abs(),
                    "{data} {step:?}: {field}"
                );
            }
        }
    }
}
