//! Integrals of smooth functions over a finite interval.

/// Positive nodes and their weights of the 16-point Gauss–Legendre rule on [−1, 1].
const NODES: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_37, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_74),
    (0.755_404_408_355_003, 0.124_628_971_255_533_88),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_79),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_894),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_096),
];

/// The same of rules with 2, 4 and 8 points, and the longest intervals on which they give 14
/// digits, in lengths over which a function changes.
const SHORT_RULES: [(f64, &[(f64, f64)]); 3] = [
    (1e-3, &[(0.577_350_269_189_625_8, 1.0)]),
    (
        0.1,
        &[
            (0.339_981_043_584_856_26, 0.652_145_154_862_546_1),
            (0.861_136_311_594_052_6, 0.347_854_845_137_453_86),
        ],
    ),
    (
        SHORT,
        &[
            (0.183_434_642_495_649_8, 0.362_683_783_378_362),
            (0.525_532_409_916_329, 0.313_706_645_877_887_3),
            (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
            (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
        ],
    ),
];
/// The longest interval for [`visit_short`], in lengths over which the function changes.
pub const SHORT: f64 = 1.0;

/// ∫ f from `from` to `to`, by the 16-point Gauss–Legendre rule on equal parts no longer than
/// `longest_panel`.
pub fn integrate(f: impl Fn(f64) -> f64, from: f64, to: f64, longest_panel: f64) -> f64 {
    let mut sum = 0.0;
    visit_nodes(from, to, longest_panel, |x, weight| sum += weight * f(x));
    sum
}

/// Calls with every node of this rule and its weight, for several integrals at once.
pub fn visit_nodes(from: f64, to: f64, longest_panel: f64, mut visit: impl FnMut(f64, f64)) {
    let panels = ((to - from) / longest_panel).ceil().max(1.0);
    let half = 0.5 * (to - from) / panels;
    let mut middle = from + half;
    while middle < to {
        visit_panel(&NODES, [middle, half], &mut visit);
        middle += 2.0 * half;
    }
}

/// Calls with a few nodes from 0 to `to` and their weights, for functions that change e-fold over
/// the length `scale` or more; `to` is at most [`SHORT`] of these.
pub fn visit_short(to: f64, scale: f64, mut visit: impl FnMut(f64, f64)) {
    let is_enough = |(longest, _): &&(f64, &[(f64, f64)])| to <= longest * scale;
    let [.., finest] = &SHORT_RULES;
    let (_, rule) = SHORT_RULES.iter().find(is_enough).unwrap_or(finest);
    visit_panel(rule, [0.5 * to; 2], &mut visit);
}

fn visit_panel(rule: &[(f64, f64)], [middle, half]: [f64; 2], visit: &mut impl FnMut(f64, f64)) {
    for (node, weight) in rule {
        visit(middle - half * node, half * weight);
        visit(middle + half * node, half * weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_of_degree_31_are_exact() {
        let integral = integrate(|x| x.powi(31), 0.0, 2.0, 2.0);
        assert!((integral / 2f64.powi(27) - 1.0).abs() < 1e-14, "{integral}");
    }

    #[test]
    fn short_intervals_need_few_nodes() {
        for to in [1e-6, 1e-3, 0.1, SHORT] {
            for power in [0.5, 2.0, 50.0_f64] {
                // (1 + x)^(−power)
                let scale = 1.0 / (1.0 + power);
                let end = to * scale;
                let mut integral = 0.0;
                visit_short(end, scale, |x, weight| {
                    integral += weight * (1.0 + x).powf(-power);
                });
                let exact = ((1.0 - power) * end.ln_1p()).exp_m1() / (1.0 - power);
                let error = integral / exact - 1.0;
                assert!(error.abs() < 1e-14, "{to}, {power}: {error:e}");
            }
        }
    }

    #[test]
    fn panels_add_up() {
        let integral = integrate(f64::exp, -1.0, 9.0, 3.0);
        assert!((integral / (9f64.exp() - (-1f64).exp()) - 1.0).abs() < 1e-14);
    }
}
