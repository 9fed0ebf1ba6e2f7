//! Minimum of a smooth function of a few variables, by Newton's method with a damped Hessian.
//!
//! Source: Nocedal, Wright (2006), Numerical Optimization, chapters 3.4 and 4; Marquardt (1963).
//!
//! The exact Hessian finds maxima in nearly flat valleys, where methods that estimate it stop too
//! early.

/// Value, gradient and Hessian at a point.
#[derive(Debug, Clone, Copy)]
pub struct Quadratic<const P: usize> {
    /// The function's value.
    pub value: f64,
    /// First derivatives.
    pub gradient: [f64; P],
    /// Second derivatives.
    pub hessian: [[f64; P]; P],
}

impl<const P: usize> Quadratic<P> {
    /// The largest first derivative.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient
            .iter()
            .fold(0.0, |norm, g| f64::max(norm, g.abs()))
    }

    /// What a step is expected to gain at first order.
    fn decrease(&self, step: &[f64; P]) -> f64 {
        -self
            .gradient
            .iter()
            .zip(step)
            .map(|(g, d)| g * d)
            .sum::<f64>()
    }

    fn is_finite(&self) -> bool {
        self.value.is_finite()
            && self.gradient.iter().all(|g| g.is_finite())
            && self.hessian.iter().flatten().all(|h| h.is_finite())
    }
}

/// Where a minimisation ended.
#[derive(Debug, Clone, Copy)]
pub struct Minimum<const P: usize> {
    /// The best point found.
    pub point: [f64; P],
    /// The function there.
    pub at: Quadratic<P>,
    /// Evaluations of the function.
    pub iterations: u32,
    /// Whether the iteration limit ended it.
    pub limit_reached: bool,
}

const MOST_ITERATIONS: u32 = 500;
/// No variable moves further in one step: the quadratic model is local.
const LONGEST_STEP: f64 = 1.5;
/// With more damping a step is shorter than rounding.
const MOST_DAMPING: f64 = 1e8;
const GRADIENT_IS_ZERO: f64 = 1e-12;
/// Differences of values below this share may be rounding; then the gradient decides.
const ROUNDING: f64 = 1e-12;

/// Goes downhill from `start` until the gradient vanishes, no step helps, or a variable leaves
/// ±`edge`.
pub fn minimise<const P: usize>(
    function: impl Fn(&[f64; P]) -> Quadratic<P>,
    start: [f64; P],
    edge: f64,
) -> Minimum<P> {
    let (mut point, mut at) = (start, function(&start));
    let (mut damping, mut iterations) = (0.0, 1);
    while at.gradient_norm() > GRADIENT_IS_ZERO && point.iter().all(|x| x.abs() < edge) {
        if iterations >= MOST_ITERATIONS {
            return Minimum {
                point,
                at,
                iterations,
                limit_reached: true,
            };
        }
        let Some(step) = damped_step(&at, damping) else {
            if damping > MOST_DAMPING {
                break;
            }
            damping = f64::max(10.0 * damping, 1e-6);
            continue;
        };
        let next_point = std::array::from_fn(|i| point[i] + step[i]);
        let next = function(&next_point);
        iterations += 1;
        let rounding = ROUNDING * at.value.abs();
        let is_lower = next.value < at.value - rounding
            || (next.value <= at.value + rounding && next.gradient_norm() < at.gradient_norm());
        if next.is_finite() && is_lower {
            (point, at) = (next_point, next);
            damping = if damping > 1e-14 { 0.1 * damping } else { 0.0 };
        } else if damping > MOST_DAMPING || at.decrease(&step) < rounding {
            break;
        } else {
            damping = f64::max(10.0 * damping, 1e-6);
        }
    }
    Minimum {
        point,
        at,
        iterations,
        limit_reached: false,
    }
}

/// −(H + damping I)⁻¹ g, shortened to the longest step; `None` where that matrix is not positive
/// definite.
fn damped_step<const P: usize>(at: &Quadratic<P>, damping: f64) -> Option<[f64; P]> {
    let mut damped = at.hessian;
    for (i, row) in damped.iter_mut().enumerate() {
        row[i] += damping;
    }
    let step = Cholesky::try_new(&damped)?.solve(&at.gradient);
    let longest = step
        .iter()
        .fold(0.0, |longest, d| f64::max(longest, d.abs()));
    let scale = -f64::min(1.0, LONGEST_STEP / longest);
    Some(step.map(|d| scale * d))
}

/// The lower triangle L of a positive definite matrix L Lᵀ.
#[derive(Debug, Clone, Copy)]
pub struct Cholesky<const P: usize>([[f64; P]; P]);

impl<const P: usize> Cholesky<P> {
    /// `None` when the matrix is not positive definite within rounding.
    pub fn try_new(matrix: &[[f64; P]; P]) -> Option<Self> {
        let mut lower = [[0.0; P]; P];
        for i in 0..P {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                let rest = matrix[i][j] - sum;
                if i > j {
                    lower[i][j] = rest / lower[j][j];
                } else if rest > 1e-14 * matrix[i][i].abs() && rest > 0.0 {
                    lower[i][i] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self(lower))
    }

    /// The x of A x = right.
    pub fn solve(&self, right: &[f64; P]) -> [f64; P] {
        let lower = &self.0;
        let mut x = *right;
        for i in 0..P {
            let sum: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
            x[i] = (x[i] - sum) / lower[i][i];
        }
        for i in (0..P).rev() {
            let sum: f64 = (i + 1..P).map(|k| lower[k][i] * x[k]).sum();
            x[i] = (x[i] - sum) / lower[i][i];
        }
        x
    }

    /// A⁻¹.
    pub fn inverse(&self) -> [[f64; P]; P] {
        std::array::from_fn(|i| {
            let mut unit = [0.0; P];
            unit[i] = 1.0;
            self.solve(&unit)
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Rosenbrock's valley, minimum 0 at (1, 1).
    fn valley([x, y]: &[f64; 2]) -> Quadratic<2> {
        let bend = y - x * x;
        Quadratic {
            value: (1.0 - x).powi(2) + 100.0 * bend * bend,
            gradient: [-2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend],
            hessian: [
                [2.0 - 400.0 * (bend - 2.0 * x * x), -400.0 * x],
                [-400.0 * x, 200.0],
            ],
        }
    }

    #[test]
    fn curved_valley_is_followed_to_its_end() {
        let minimum = minimise(valley, [-1.2, 1.0], 14.0);
        assert!(
            minimum.point.iter().all(|x| (x - 1.0).abs() < 1e-9),
            "{minimum:?}"
        );
        assert!(!minimum.limit_reached);
    }

    #[test]
    fn descent_without_end_stops_at_the_edge() {
        let slope = |[x]: &[f64; 1]| Quadratic {
            value: x.exp(),
            gradient: [x.exp()],
            hessian: [[x.exp()]],
        };
        let minimum = minimise(slope, [0.0], 5.0);
        assert!(
            minimum.point[0] <= -5.0 && minimum.point[0] > -7.0,
            "{minimum:?}"
        );
    }

    #[test]
    fn inverse_times_matrix_is_one() {
        let matrix = [[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]];
        let inverse = Cholesky::try_new(&matrix).unwrap().inverse();
        for (i, row) in matrix.iter().enumerate() {
            let product = |j: usize| row.iter().zip(&inverse).map(|(m, v)| m * v[j]).sum::<f64>();
            for (j, product) in [product(0), product(1), product(2)].into_iter().enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-15);
            }
        }
        assert!(Cholesky::try_new(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
    }
}
