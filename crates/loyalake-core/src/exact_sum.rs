//! Sums that are the same to the last bit, whatever the order and the partitions of their terms.
//!
//! Source: Demmel and Nguyen (2015), "Parallel Reproducible Summation", IEEE Transactions on
//! Computers 64(7): terms are cut at fixed places of the binary number line, and each place is
//! summed on its own; here in whole numbers.

/// Places that a sum keeps.
const LIMBS: usize = 6;
/// Bits between two places.
const LIMB_BITS: u32 = 24;
/// Below every place of a term.
const NO_PLACE: i64 = i64::MIN / 2;

/// A sum of doubles and of their products.
///
/// # Numerics
/// Exact as long as the largest term and the smallest bit of a term are less than 2^120 apart; bits
/// further below the largest term are left out, always the same ones. Up to 2^39 terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactSum {
    /// The first limb counts units of 2^(24 `place`), each next one units of 2^-24 of that.
    place: i64,
    limbs: [i64; LIMBS],
}

impl Default for ExactSum {
    fn default() -> Self {
        Self {
            place: NO_PLACE,
            limbs: [0; LIMBS],
        }
    }
}

impl ExactSum {
    /// Numbers that `to_words` writes.
    pub const WORDS: usize = LIMBS + 1;

    /// Whether no term but 0 has been added.
    pub fn is_empty(&self) -> bool {
        self.place == NO_PLACE
    }

    /// Adds a finite term.
    pub fn add(&mut self, term: f64) {
        self.add_product(term, 1.0, 0);
    }

    /// Adds `left` × `right` × 2^`exponent`, for finite factors.
    pub fn add_product(&mut self, left: f64, right: f64, exponent: i64) {
        let ((left, left_exponent), (right, right_exponent)) = (decode(left), decode(right));
        let product = i128::from(left) * i128::from(right);
        self.add_integer(product, exponent + left_exponent + right_exponent);
    }

    /// Adds the product of two sums.
    pub fn add_product_of_sums(&mut self, left: &Self, right: &Self) {
        for (left, left_exponent) in left.terms() {
            for (right, right_exponent) in right.terms() {
                let product = i128::from(left) * i128::from(right);
                self.add_integer(product, left_exponent + right_exponent);
            }
        }
    }

    /// Adds what has been added to another sum.
    pub fn merge(&mut self, other: &Self) {
        self.raise(other.place);
        for (limb, place) in other.limbs.iter().zip((0..).map(|i| other.place - i)) {
            self.add_at(place, *limb);
        }
    }

    /// The sum with the opposite sign.
    #[must_use]
    pub fn negated(mut self) -> Self {
        self.limbs = self.limbs.map(|limb| -limb);
        self
    }

    /// A double and the power of two that it counts.
    pub fn parts(&self) -> (f64, i64) {
        let (sum, exponent) = self.leading_bits();
        (sum as f64, exponent)
    }

    /// The sum divided by another one, which must be above 0.
    ///
    /// # Numerics
    /// Rounded once, after a division in whole numbers: the mean of equal values is that value.
    pub fn ratio(&self, divisor: &Self) -> f64 {
        let ((sum, exponent), (divisor, its_exponent)) =
            (self.leading_bits(), divisor.leading_bits());
        // 126 bits by 61
        let quotient = sum / (divisor >> 65).max(1);
        times_power_of_two(
            quotient as f64,
            exponent.saturating_sub(its_exponent).saturating_sub(65),
        )
    }

    /// The sum divided by a number of terms, which must not be 0.
    pub fn mean(&self, count: u64) -> f64 {
        self.ratio(&count.into())
    }

    /// As whole numbers, for `from_words`.
    pub fn to_words(&self) -> [i64; Self::WORDS] {
        let mut words = [self.place; Self::WORDS];
        words[1..].copy_from_slice(&self.limbs);
        words
    }

    /// The sum that wrote these words.
    pub fn from_words(words: [i64; Self::WORDS]) -> Self {
        let [place, limbs @ ..] = words;
        Self { place, limbs }
    }

    /// The sum as a number of 126 bits and the power of two that it counts; 0 as 0.
    fn leading_bits(&self) -> (i128, i64) {
        let (mut sum, mut place) = (0_i128, self.place);
        for limb in self.limbs {
            // what 102 bits leave is beyond the digits of a double
            if sum.unsigned_abs() >> 102 != 0 {
                break;
            }
            sum = (sum << LIMB_BITS) + i128::from(limb);
            place -= 1;
        }
        if sum == 0 {
            return (0, 0);
        }
        let room = sum.unsigned_abs().leading_zeros() - 2;
        (
            sum << room,
            (place + 1) * i64::from(LIMB_BITS) - i64::from(room),
        )
    }

    fn terms(&self) -> impl Iterator<Item = (i64, i64)> {
        let places = (0..).map(|i| self.place - i);
        let terms = self.limbs.iter().zip(places);
        terms
            .filter(|(limb, _)| **limb != 0)
            .map(|(limb, place)| (*limb, place * i64::from(LIMB_BITS)))
    }

    fn add_integer(&mut self, mantissa: i128, exponent: i64) {
        if mantissa == 0 {
            return;
        }
        let bits = i64::from(LIMB_BITS);
        let is_negative = mantissa < 0;
        let mut rest = mantissa.unsigned_abs();
        self.raise((exponent + i64::from(rest.ilog2())).div_euclid(bits));
        let mut place = exponent.div_euclid(bits);
        let shift = exponent.rem_euclid(bits);
        let mask = (1 << LIMB_BITS) - 1;
        let mut digit = (rest << shift) & mask;
        rest >>= bits - shift;
        loop {
            let part = i64::try_from(digit).unwrap_or_default();
            self.add_at(place, if is_negative { -part } else { part });
            if rest == 0 {
                break;
            }
            digit = rest & mask;
            rest >>= LIMB_BITS;
            place += 1;
        }
    }

    fn add_at(&mut self, place: i64, part: i64) {
        let limb = usize::try_from(self.place - place).ok();
        if let Some(limb) = limb.and_then(|limb| self.limbs.get_mut(limb)) {
            *limb += part;
        }
    }

    /// Makes room at a higher place; the lowest ones are given up.
    fn raise(&mut self, place: i64) {
        if place <= self.place {
            return;
        }
        let by = usize::try_from(place - self.place)
            .unwrap_or(LIMBS)
            .min(LIMBS);
        self.limbs.copy_within(..LIMBS - by, by);
        self.limbs[..by].fill(0);
        self.place = place;
    }
}

impl From<u64> for ExactSum {
    fn from(count: u64) -> Self {
        let mut sum = Self::default();
        sum.add_integer(i128::from(count), 0);
        sum
    }
}

/// A finite double as mantissa × 2^exponent.
fn decode(term: f64) -> (i64, i64) {
    let bits = term.to_bits().cast_signed();
    let (biased, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let mantissa = if biased == 0 {
        fraction
    } else {
        fraction | 1 << 52
    };
    let signed = if bits < 0 { -mantissa } else { mantissa };
    (signed, biased.max(1) - 1075)
}

/// `value` × 2^`exponent`.
pub(crate) fn times_power_of_two(value: f64, exponent: i64) -> f64 {
    let most = i64::from(i16::MAX);
    libm::scalbn(
        value,
        i32::try_from(exponent.clamp(-most, most)).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum_of(terms: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for term in terms {
            sum.add(*term);
        }
        sum
    }

    fn any_term() -> impl Strategy<Value = f64> {
        (-1.0..1.0_f64, -300..300_i32).prop_map(|(term, exponent)| term * 2.0_f64.powi(exponent))
    }

    #[test]
    fn sum_of_one_term_is_that_term() {
        for term in [
            0.1,
            -3.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            -5e-324,
            1e-310,
            1e22,
        ] {
            assert_eq!(sum_of(&[term]).mean(1).to_bits(), term.to_bits());
        }
        assert!(sum_of(&[0.0, -0.0]).is_empty() && !sum_of(&[1.0, -1.0]).is_empty());
    }

    #[test]
    fn small_terms_survive_a_large_one() {
        assert_eq!(
            sum_of(&[1e19, 3.0, -1e19, 0.1]).mean(1).to_bits(),
            3.1_f64.to_bits()
        );
    }

    #[test]
    fn sums_may_exceed_the_range_of_doubles() {
        assert_eq!(sum_of(&[f64::MAX; 4]).mean(4).to_bits(), f64::MAX.to_bits());
        let (mut sum, mut weights) = (ExactSum::default(), ExactSum::default());
        sum.add_product(1.5, 2.0, -1_000_000_000_000);
        weights.add_product(1.5, 1.0, -1_000_000_000_000);
        assert_eq!(sum.ratio(&weights).to_bits(), 2.0_f64.to_bits());
    }

    proptest! {
        #[test]
        fn sum_depends_on_the_multiset_alone(
            terms in prop::collection::vec(any_term(), 0..60), split in 0_usize..60,
        ) {
            let whole = sum_of(&terms);
            let backward = sum_of(&terms.iter().rev().copied().collect::<Vec<_>>());
            let (left, right) = terms.split_at(split.min(terms.len()));
            let mut merged = sum_of(right);
            merged.merge(&sum_of(left));
            prop_assert_eq!(whole, backward);
            prop_assert_eq!(whole, merged);
            prop_assert_eq!(whole, ExactSum::from_words(whole.to_words()));
        }

        #[test]
        fn whole_numbers_are_summed_exactly(
            terms in prop::collection::vec(-(1_i64 << 53)..1 << 53, 1..60),
        ) {
            let sum = sum_of(&terms.iter().map(|term| *term as f64).collect::<Vec<_>>());
            let exact: i128 = terms.iter().map(|term| i128::from(*term)).sum();
            prop_assert_eq!(sum.mean(1).to_bits(), (exact as f64).to_bits());
        }

        #[test]
        fn products_are_exact(left in any_term(), right in any_term()) {
            let (mut product, mut of_sums) = (ExactSum::default(), ExactSum::default());
            product.add_product(left, right, 0);
            of_sums.add_product_of_sums(&sum_of(&[left]), &sum_of(&[right]));
            for sum in [product, of_sums] {
                prop_assert_eq!(sum.mean(1).to_bits(), (left * right + 0.0).to_bits());
            }
        }

        #[test]
        fn mean_of_equal_values_is_that_value(value in any_term(), count in 1..5_000_u64) {
            let mut sum = ExactSum::default();
            for _ in 0..count {
                sum.add(value);
            }
            prop_assert_eq!(sum.mean(count).to_bits(), (value + 0.0).to_bits());
        }
    }
}
