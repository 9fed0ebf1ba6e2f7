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
        for (node, weight) in NODES {
            visit(middle - half * node, half * weight);
            visit(middle + half * node, half * weight);
        }
        middle += 2.0 * half;
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
    fn panels_add_up() {
        let integral = integrate(f64::exp, -1.0, 9.0, 3.0);
        assert!((integral / (9f64.exp() - (-1f64).exp()) - 1.0).abs() < 1e-14);
    }
}
