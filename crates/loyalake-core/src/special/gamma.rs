//! The gamma function's logarithm and its derivatives, for positive arguments.
//!
//! Source: Abramowitz, Stegun (1964), Handbook of Mathematical Functions, equations 6.1.40, 6.3.18
//! and 6.4.12.

/// ln Γ(z) for z > 0.
pub fn ln_gamma(z: f64) -> f64 {
    libm::lgamma(z)
}

/// ln (Γ(z + n) / Γ(z)) for z > 0, n ≥ 0: the logarithm of the rising factorial z (z + 1) … (z + n
/// − 1).
///
/// # Numerics
/// Two large values of ln Γ that differ by little cancel, so from z = 32 on the difference is taken
/// term by term in Stirling's series.
pub fn ln_rising(z: f64, n: f64) -> f64 {
    if z < 32.0 {
        return ln_gamma(z + n) - ln_gamma(z);
    }
    (z - 0.5) * (n / z).ln_1p() + n * ((z + n).ln() - 1.0) + stirling_tail(z + n) - stirling_tail(z)
}

/// ln (Γ(z + n) / Γ(z)) for z > 0, n ≥ 0, with its first two derivatives in z.
pub fn ln_rising_derivatives(z: f64, n: f64) -> [f64; 3] {
    [
        ln_rising(z, n),
        digamma(z + n) - digamma(z),
        trigamma(z + n) - trigamma(z),
    ]
}

/// ln [Γ(z + m) Γ(z + n) / (Γ(z) Γ(z + m + n))] = ln [B(z + n, m) / B(z, m)] for z > 0, m, n ≥ 0.
///
/// # Numerics
/// The same for m and n exchanged. Two rising factorials of the smaller one's length cancel less
/// than two of the larger one's.
pub fn ln_beta_ratio(z: f64, m: f64, n: f64) -> f64 {
    let (short, long) = (m.min(n), m.max(n));
    ln_rising(z, short) - ln_rising(z + long, short)
}

/// What Stirling's formula leaves out, for z ≥ 32.
fn stirling_tail(z: f64) -> f64 {
    let u = 1.0 / (z * z);
    (1.0 / 12.0 - u * (1.0 / 360.0 - u * (1.0 / 1260.0 - u / 1680.0))) / z
}

/// ψ(z), the derivative of ln Γ, for z > 0.
pub fn digamma(z: f64) -> f64 {
    let (mut z, mut shift) = (z, 0.0);
    while z < 10.0 {
        shift += 1.0 / z;
        z += 1.0;
    }
    let u = 1.0 / (z * z);
    let series = 1.0 / 12.0
        - u * (1.0 / 120.0
            - u * (1.0 / 252.0
                - u * (1.0 / 240.0 - u * (1.0 / 132.0 - u * (691.0 / 32_760.0 - u / 12.0)))));
    z.ln() - 0.5 / z - u * series - shift
}

/// ψ′(z), the second derivative of ln Γ, for z > 0.
pub fn trigamma(z: f64) -> f64 {
    let (mut z, mut shift) = (z, 0.0);
    while z < 10.0 {
        shift += 1.0 / (z * z);
        z += 1.0;
    }
    let u = 1.0 / (z * z);
    let series = 1.0 / 6.0
        - u * (1.0 / 30.0
            - u * (1.0 / 42.0
                - u * (1.0 / 30.0 - u * (5.0 / 66.0 - u * (691.0 / 2_730.0 - u * (7.0 / 6.0))))));
    (1.0 + 0.5 / z + u * series) / z + shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath, 40 digits: z, psi(0, z), psi(1, z).
    const DERIVATIVES: [(f64, f64, f64); 6] = [
        (1e-6, -1_000_000.577_214_02, 1_000_000_000_001.644_9),
        (0.243, -4.351_093_864_423_211, 18.141_779_787_095_829),
        (1.0, -0.577_215_664_901_532_9, 1.644_934_066_848_226_4),
        (9.99, 2.250_700_372_831_201, 0.105_276_950_148_241_79),
        (32.5, 3.465_776_585_953_594_5, 0.031_247_457_737_053_63),
        (1e5, 11.512_920_464_961_895, 1.000_005_000_016_666_7e-5),
    ];

    fn relative(actual: f64, expected: f64) -> f64 {
        ((actual - expected) / expected).abs()
    }

    #[test]
    fn derivatives_match_mpmath() {
        for (z, psi, psi1) in DERIVATIVES {
            assert!(
                relative(digamma(z), psi) < 2e-15,
                "psi({z}) = {}",
                digamma(z)
            );
            assert!(
                relative(trigamma(z), psi1) < 2e-15,
                "psi1({z}) = {}",
                trigamma(z)
            );
        }
    }

    #[test]
    fn rising_factorial_keeps_its_digits_for_large_arguments() {
        for (z, n) in [(1.0, 5_u32), (31.9, 3), (32.0, 3), (1e6, 4), (1e12, 2)] {
            let product: f64 = (0..n).map(|i| (z + f64::from(i)).ln()).sum();
            assert!(
                relative(ln_rising(z, f64::from(n)), product) < 4e-15,
                "({z})_{n}"
            );
        }
        assert!(ln_rising(0.3, 0.0).abs() < f64::MIN_POSITIVE);
    }

    /// The product of (z + i) / (z + m + i) over i < n.
    #[test]
    fn beta_ratio_keeps_its_digits_for_long_products() {
        for (z, m, n) in [
            (0.3, 1.2, 6_u32),
            (0.3, 0.01, 1_000_000),
            (4e4, 7.0, 200_000),
        ] {
            let factor = |i| (-m / (z + m + f64::from(i))).ln_1p();
            let product: f64 = (0..n).rev().map(factor).sum();
            for ratio in [
                ln_beta_ratio(z, m, f64::from(n)),
                ln_beta_ratio(z, f64::from(n), m),
            ] {
                assert!(
                    relative(ratio, product) < 2e-13,
                    "{z}, {m}, {n}: {ratio}, {product}"
                );
            }
        }
        assert!(ln_beta_ratio(0.3, 5.0, 0.0).abs() < f64::MIN_POSITIVE);
    }
}
