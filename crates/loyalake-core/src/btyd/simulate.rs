//! Customers whose true parameters are known, for trials and tests.
//!
//! Source: Blackman, Vigna (2021), Scrambled linear pseudorandom number generators; Marsaglia,
//! Tsang (2000), A simple method for generating gamma variables.
//!
//! Only `libm` and exact operations: the same seed gives the same purchases on every machine.

use super::{History, bg_nbd, gamma_gamma};
use crate::Result;

/// xoshiro256++, seeded by splitmix64.
#[derive(Debug, Clone)]
pub struct Random([u64; 4]);

impl Random {
    /// An independent stream for each pair of numbers.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut state = split_mix(seed) ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            split_mix(state)
        }))
    }

    fn next(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.0;
        let result = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let angle = 2.0 * std::f64::consts::PI * self.uniform();
        (2.0 * self.exponential()).sqrt() * libm::cos(angle)
    }

    /// ln of Gamma(shape, rate 1): small shapes give values below the smallest double.
    pub fn ln_gamma_variate(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.exponential() / shape;
            return self.ln_gamma_variate(shape + 1.0) - boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let root = 1.0 + c * z;
            let v = root * root * root;
            if root > 0.0 && -self.exponential() < 0.5 * z * z + d - d * v + d * libm::log(v) {
                return libm::log(d * v);
            }
        }
    }

    /// Gamma(shape, rate).
    pub fn gamma(&mut self, shape: f64, rate: f64) -> f64 {
        libm::exp(self.ln_gamma_variate(shape)) / rate
    }

    /// Beta(a, b).
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let ln_odds = self.ln_gamma_variate(a) - self.ln_gamma_variate(b);
        1.0 / (1.0 + libm::exp(-ln_odds))
    }
}

fn split_mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// How simulated customers buy: BG/NBD for purchases, Gamma-Gamma for their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shop {
    /// r, α, a, b of [`super::bg_nbd`]; time in days.
    pub purchases: [f64; 4],
    /// p, q, v of [`super::gamma_gamma`].
    pub spend: [f64; 3],
}

/// A simulated purchase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purchase {
    /// Days since the shop opened.
    pub day: f64,
    /// What was paid.
    pub value: f64,
}

impl Shop {
    /// Whether all parameters are in their models' domains.
    ///
    /// # Errors
    /// Says what is wrong with which parameter.
    pub fn check(&self) -> Result<()> {
        bg_nbd::MODEL.check(&self.purchases)?;
        gamma_gamma::MODEL.check(&self.spend)
    }

    /// All purchases of one customer in the shop's first `days`, in order of time. The first one
    /// falls on any day with the same probability.
    pub fn customer(&self, seed: u64, customer: u64, days: f64) -> Vec<Purchase> {
        let [r, alpha, a, b] = self.purchases;
        let [p, q, v] = self.spend;
        let mut random = Random::new(seed, customer);
        let purchase_rate = random.gamma(r, alpha);
        let leaving = random.beta(a, b);
        let value_rate = random.gamma(q, v);
        let mut day = days * random.uniform();
        let mut purchases = Vec::new();
        loop {
            purchases.push(Purchase {
                day,
                value: random.gamma(p, value_rate),
            });
            let is_first = purchases.len() == 1;
            let has_left = !is_first && random.uniform() < leaving;
            day += random.exponential() / purchase_rate;
            if has_left || day >= days || day.is_nan() {
                return purchases;
            }
        }
    }
}

/// The history of purchases in order of time, seen at the end of `days`; `None` without any.
pub fn history(purchases: &[Purchase], days: f64) -> Option<History> {
    let (first, last) = (purchases.first()?, purchases.last()?);
    History::try_new(
        (purchases.len() - 1) as f64,
        last.day - first.day,
        days - first.day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_variance(draw: impl FnMut(u64) -> f64) -> (f64, f64) {
        let draws: Vec<f64> = (0..200_000).map(draw).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        (
            mean,
            draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n,
        )
    }

    #[test]
    fn moments_of_draws_are_those_of_their_distributions() {
        let mut random = Random::new(7, 0);
        for shape in [0.2, 1.0, 6.25] {
            let (mean, variance) = mean_and_variance(|_| random.gamma(shape, 2.0));
            assert!(
                (mean / (shape / 2.0) - 1.0).abs() < 0.02,
                "{shape}: mean {mean}"
            );
            assert!(
                (variance / (shape / 4.0) - 1.0).abs() < 0.05,
                "{shape}: variance {variance}"
            );
        }
        let (mean, variance) = mean_and_variance(|_| random.beta(0.8, 2.4));
        assert!((mean - 0.25).abs() < 0.003, "{mean}");
        assert!((variance - 0.25 * 0.75 / 4.2).abs() < 0.002, "{variance}");
    }

    #[test]
    fn streams_are_reproducible_and_differ() {
        let first = |seed, stream| Random::new(seed, stream).uniform().to_bits();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(2, 1));
        assert_ne!(first(1, 2), first(1, 3));
    }

    #[test]
    fn purchases_are_in_order_and_within_the_days() {
        let shop = Shop {
            purchases: [0.5, 30.0, 0.8, 2.4],
            spend: [6.25, 3.74, 15.44],
        };
        for customer in 0..2_000 {
            let purchases = shop.customer(42, customer, 365.0);
            assert!(purchases.windows(2).all(|pair| pair[0].day < pair[1].day));
            assert!(
                purchases
                    .iter()
                    .all(|p| (0.0..365.0).contains(&p.day) && p.value > 0.0)
            );
            assert!(history(&purchases, 365.0).is_some());
        }
    }
}
