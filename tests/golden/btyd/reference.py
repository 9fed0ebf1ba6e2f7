"""Writes the reference values of the models of purchases where double precision is hard, by mpmath with 40 digits.

Run: python3 reference.py corners > corners.csv; python3 reference.py value_quantiles > value_quantiles.csv

Values come from the definitions of the models: integrals over the time of leaving or of the n-th purchase, sums over
opportunities. `verified` compares each with another formula, mostly the published one. Log-likelihoods, probabilities
of being a customer and expectations of BG/NBD and MBG/NBD, and all of Gamma-Gamma, are as published; the code under
test uses other formulas.
"""

import sys
from math import ceil

from mpmath import beta, betainc, binomial, digamma, exp, gammainc, hyp2f1, inf, log, loggamma, mp, mpf, polyval, quad
from mpmath import rf, sqrt, workdps

mp.dps = 40


def verified(value, second):
    assert abs(value - second) <= mpf(10) ** -25 * abs(second), (value, second)
    return value


def integral(f):
    """∫ f(v, 1 - v) dv over 0 < v < 1: trapezoidal rule in ln(v / (1 - v)), the step halved until the sum stands."""

    def side(y, step):
        total = mpf(0)
        while True:
            e = exp(y)
            term = f(e / (1 + e), 1 / (1 + e)) * e / (1 + e) ** 2
            total += term
            if term <= mpf(10) ** (-mp.dps - 5) * total:
                return total
            y += step

    top, step = mpf(0), mpf(1)  # near the top of the one hill, so that a sum ends on its slopes only
    height = lambda y: f(1 / (1 + exp(-y)), 1 / (1 + exp(y))) / (2 + exp(y) + exp(-y))
    if height(top - step) > height(top):
        step = -step
    while height(top + step) > height(top):
        top += step
    step = mpf(1) / 4
    sum_ = side(top, step) + side(top - step, -step)
    while step > mpf(1) / 10000:
        between = side(top + step / 2, step) + side(top - step / 2, -step)
        if abs(between - sum_) < mpf(10) ** (-mp.dps // 2 - 3) * sum_:  # the error is squared by each halving
            return (sum_ + between) * step / 2
        sum_, step = sum_ + between, step / 2
    raise ArithmeticError("not converged")


def negative_binomial(r, alpha, t, n):
    log_ways = loggamma(r + n) - loggamma(r) - loggamma(n + 1)
    return exp(log_ways) * (alpha / (alpha + t)) ** r * (t / (alpha + t)) ** n


class Purchases:
    """What the models of purchases share. `exactly` and `at_least` are of a customer alive."""

    def pmf(self, x, t_x, T, t, n):
        alive, p_alive = self.after(x, T), self.p_alive(x, t_x, T)
        value = alive.exactly(t, n)
        lost = max(0, int(log(alive.at_least(t, n) / value, 10)))
        with workdps(45 + lost):
            verified(value, alive.at_least(t, n) - alive.at_least(t, n + 1))
        return p_alive * value + (1 - p_alive if n == 0 else 0)

    def next_purchase_quantile(self, x, t_x, T, q):
        """The time is the root of P(at least one); P(none) comes from another formula."""
        alive, odds = self.after(x, T), mpf(q) / self.p_alive(x, t_x, T)
        t = alive.alpha / alive.r
        with workdps(15):
            too_early = lambda t: alive.at_least(t, 1) < odds
            while not too_early(t):
                t /= 8
            while too_early(8 * t):
                t *= 8
                assert t < 1e50, "no such time"
            for step in range(12):
                factor = exp(log(8) / 2 ** (step + 1))
                t *= factor if too_early(t * factor) else 1
        for _ in range(5):  # Newton
            t *= exp((odds - alive.at_least(t, 1)) / (t * alive.first_purchase_density(t)))
        verified(1 - alive.exactly(t, 0), odds)
        return t


class BetaGeometric(Purchases):
    """BG/NBD (first=0) or MBG/NBD (first=1)."""

    def __init__(self, first, r, alpha, a, b):
        self.first, self.r, self.alpha, self.a, self.b = first, mpf(r), mpf(alpha), mpf(a), mpf(b)

    def ln_odds(self, x, t_x, T):
        n = x + self.first
        if n == 0:
            return -inf
        return log(self.a / (self.b + n - 1)) + (self.r + x) * log((self.alpha + T) / (self.alpha + t_x))

    def p_alive(self, x, t_x, T):
        return 1 / (1 + exp(self.ln_odds(x, t_x, T)))

    def loglik(self, x, t_x, T):
        r, alpha, a, b, n = self.r, self.alpha, self.a, self.b, x + self.first
        result = loggamma(r + x) - loggamma(r) + r * log(alpha) - (r + x) * log(alpha + T)
        result += loggamma(b + n) - loggamma(b) - loggamma(a + b + n) + loggamma(a + b)
        return result + log(1 + exp(self.ln_odds(x, t_x, T)))

    def if_alive(self, x, T, t):
        R, A, B = self.r + x, self.alpha + T, self.b + x + self.first
        z, c = t / (A + t), self.a + B - 1
        if self.a == 1:  # the limit, by the mean of both sides (error of order h^2, 1e-24)
            h = mpf(10) ** -12
            sides = [BetaGeometric(self.first, self.r, self.alpha, 1 + s * h, self.b) for s in (1, -1)]
            return sum(side.if_alive(x, T, t) for side in sides) / 2
        # Euler's transformation of the published (1-z)^R 2F1(R, B; c; z): converges for all x
        power = (1 - z) ** (self.a - 1) * hyp2f1(c - R, self.a - 1, c, z)
        return c / (self.a - 1) * (1 - power)

    def cet(self, x, t_x, T, t):
        return self.p_alive(x, t_x, T) * self.if_alive(x, T, t)

    def discounted(self, x, t_x, T, t, d):
        R, A, B = self.r + x, self.alpha + T, self.b + x + self.first
        delta = log(1 + mpf(d))

        def rate(u):  # E[lambda exp(-lambda p u)], by Pfaff's transformation of 2F1(R + 1, a; a + B; -u/A)
            w = u / A
            value = (1 + w) ** (-self.a) * hyp2f1(self.a, self.a + B - R - 1, self.a + B, w / (1 + w))
            return R / A * value * exp(-delta * u)

        # in the logarithm of time, so that the pieces are smooth
        first = A / (1 + R) / 1000
        end = t if t != inf else 90 / delta
        edges, edge = [mpf(0)], mpf(first)
        while edge < end:
            edges.append(edge)
            edge *= 4
        edges.append(mpf(end))
        return self.p_alive(x, t_x, T) * quad(rate, edges)

    def after(self, x, T):
        return BetaGeometric(0, self.r + x, self.alpha + T, self.a, self.b + x + self.first)

    def stays(self, n):
        """E[(1 - p)^n]"""
        return rf(self.b, n) / rf(self.a + self.b, n)

    def at_least(self, t, n):
        """n purchases in t, the n-th density integrated, and staying after all but the last."""
        if n == 0:
            return mpf(1)
        r, z = self.r, t / (self.alpha + t)
        nth = integral(lambda v, w: v ** (n - 1) * (w + (1 - z) * v) ** (r - 1))
        return self.stays(n - 1) * z**n * nth / beta(n, r)

    def exactly(self, t, n):
        """As published: the customer stays after all n, or leaves after the n-th."""
        bought = lambda j: negative_binomial(self.r, self.alpha, t, j)
        result = self.stays(n) * bought(n)
        if n > 0:
            lost = max(0, -int(log(bought(n), 10)))
            with workdps(mp.dps + lost):
                z = t / (self.alpha + t)
                term = total = (1 - z) ** self.r
                for j in range(1, n):
                    term *= (self.r + j - 1) / j * z
                    total += term
                at_least = 1 - total
            result += (self.stays(n - 1) - self.stays(n)) * at_least
        return result

    def first_purchase_density(self, t):
        return self.r / (self.alpha + t) * (self.alpha / (self.alpha + t)) ** self.r

    def distribution(self, t, count):
        """P(N = n) for n < count."""
        at_least = self.at_least(t, count) / self.stays(count - 1)  # whether or not they stay
        bought = [negative_binomial(self.r, self.alpha, t, n) for n in range(count)]
        result = [mpf(0)] * count
        for n in reversed(range(count)):
            at_least += bought[n]
            result[n] = self.stays(n) * bought[n]
            if n > 0:
                result[n] += (self.stays(n - 1) - self.stays(n)) * at_least
        return result


class ParetoNbd(Purchases):
    def __init__(self, r, alpha, s, beta_):
        self.r, self.alpha, self.s, self.beta = mpf(r), mpf(alpha), mpf(s), mpf(beta_)

    def weights(self, x, t_x, T):
        """Left between t_x and T; alive at T: both in units of (alpha + t_x)^-(r + x)."""
        r, alpha, s, beta_ = self.r, self.alpha, self.s, self.beta
        share = lambda u: ((alpha + t_x) / (alpha + u)) ** (r + x)
        left = mpf(0)
        if T > t_x:
            leaving = lambda u: s / (beta_ + u) * (beta_ / (beta_ + u)) ** s * share(u)
            left = (T - t_x) * integral(lambda v, w: leaving(t_x + (T - t_x) * v))
        alive = (beta_ / (beta_ + T)) ** s * share(T)
        with workdps(80):
            m, d, w = max(alpha, beta_), abs(alpha - beta_), r + s + x
            b = s + 1 if alpha >= beta_ else r + x
            part = lambda u: hyp2f1(w, b, w + 1, d / (m + u)) / (m + u) ** w
            second = s / w * beta_**s * (alpha + t_x) ** (r + x) * (part(t_x) - part(T))
        if T > t_x:
            verified(left, second)
        return left, alive

    def loglik(self, x, t_x, T):
        r, alpha = self.r, self.alpha
        level = loggamma(r + x) - loggamma(r) + r * log(alpha) - (r + x) * log(alpha + t_x)
        return level + log(sum(self.weights(x, t_x, T)))

    def p_alive(self, x, t_x, T):
        left, alive = self.weights(x, t_x, T)
        return alive / (alive + left)

    def if_alive(self, x, T, t, d):
        """The purchase rate and the probability of being a customer, integrated over time."""
        A, B, s, delta = self.alpha + T, self.beta + T, self.s, log(1 + mpf(d))
        still = lambda u: (B / (B + u)) ** s * exp(-delta * u)
        if t == inf:
            value = B * integral(lambda v, w: still(B * v / w) / w**2)
        else:
            value = t * integral(lambda v, w: still(t * v))
        with workdps(80):
            if delta > 0:
                start, end = delta * B, delta * (B + t)
                rest = gammainc(1 - s, end) if t < inf else 0
                second = B**s * exp(start) * delta ** (s - 1) * (gammainc(1 - s, start) - rest)
            elif s == 1:
                second = B * log(1 + t / B)
            else:
                second = B / (s - 1) * (1 - (B / (B + t)) ** (s - 1) if t < inf else 1)
        return (self.r + x) / A * verified(value, second)

    def cet(self, x, t_x, T, t):
        return self.p_alive(x, t_x, T) * self.if_alive(x, T, t, 0)

    def discounted(self, x, t_x, T, t, d):
        return self.p_alive(x, t_x, T) * self.if_alive(x, T, t, d)

    def after(self, x, T):
        return ParetoNbd(self.r + x, self.alpha + T, self.s, self.beta + T)

    def stays(self, t):
        return (self.beta / (self.beta + t)) ** self.s

    def at_least(self, t, n):
        """The time of the n-th purchase, the customer being one until then."""
        if n == 0:
            return mpf(1)
        r, z = self.r, t / (self.alpha + t)

        def density(v, w):  # z v = u / (alpha + u)
            rest = w + (1 - z) * v
            return v ** (n - 1) * rest ** (r - 1) * self.stays(self.alpha * z * v / rest)

        return z**n * integral(density) / beta(n, r)

    def exactly(self, t, n):
        """The time of leaving, n purchases until then; or a customer to the end."""
        bought = lambda u: negative_binomial(self.r, self.alpha, u, n)
        leaving = lambda u: self.s / (self.beta + u) * self.stays(u)
        return self.stays(t) * bought(t) + t * integral(lambda v, w: leaving(t * v) * bought(t * v))

    def first_purchase_density(self, t):
        return self.r / (self.alpha + t) * (self.alpha / (self.alpha + t)) ** self.r * self.stays(t)

    def distribution(self, t, count):
        """`exactly` with the same nodes for all n < count."""
        r, alpha, step = self.r, self.alpha, mpf(1) / 32
        ways = [exp(loggamma(r + n) - loggamma(r) - loggamma(n + 1)) for n in range(count)]
        sums = [mpf(0)] * count

        def add(u, weight):
            weight *= (alpha / (alpha + u)) ** r
            ratio = u / (alpha + u)
            for n in range(count):
                sums[n] += weight
                weight *= ratio

        add(t, self.stays(t))
        for k in range(-96 * 32, 96 * 32):
            e = exp(k * step)
            u = t * e / (1 + e)
            add(u, step * t * e / (1 + e) ** 2 * self.s / (self.beta + u) * self.stays(u))
        return [way * sum_ for way, sum_ in zip(ways, sums)]


def annuity(a, b, d):
    """E[(1 - theta) + (1 - theta)^2 / (1 + d) + ...], theta being Beta(a, b)."""
    if a >= 1:
        sum_ = integral(lambda v, w: v ** (a - 1) * w**b * (1 + d) / (d + v)) / beta(a, b)
    else:  # without the peak at 0
        peak = integral(lambda v, w: v**a * w**b / (d + v)) / beta(a, b)
        sum_ = (1 + d) / d * (b / (a + b) - peak)
    with workdps(60):
        return verified(sum_, published_annuity(a, b, d))


def published_annuity(a, b, d):
    if d == 0:
        return b / (a - 1)
    return b / (a + b) * hyp2f1(1, b + 1, a + b + 1, 1 / (1 + d))


class ShiftedBetaGeometric:
    """sBG"""

    def __init__(self, alpha, beta_):
        self.alpha, self.beta = mpf(alpha), mpf(beta_)

    def survival(self, t):
        result = mpf(1)
        for i in range(t):
            result *= (self.beta + i) / (self.alpha + self.beta + i)
        with workdps(60):
            return verified(result, beta(self.alpha, self.beta + t) / beta(self.alpha, self.beta))

    def retention(self, t):
        return verified(self.survival(t) / self.survival(t - 1), (self.beta + t - 1) / (self.alpha + self.beta + t - 1))

    def derl_before_renewal(self, n, d):
        return annuity(self.alpha, self.beta + n - 1, mpf(d))


class BetaGeometricBetaBernoulli(Purchases):
    """BG/BB: alpha, beta of buying; gamma, delta of leaving; n opportunities."""

    def __init__(self, alpha, beta_, gamma, delta):
        self.alpha, self.beta, self.gamma, self.delta = mpf(alpha), mpf(beta_), mpf(gamma), mpf(delta)

    def weights(self, x, t_x, n):
        """Left between t_x and n; alive at n: opportunity after opportunity, each as the past ones suggest."""
        alpha, beta_, gamma, delta = self.alpha, self.beta, self.gamma, self.delta
        weight = mpf(1)
        for i in range(t_x):
            weight *= (delta + i) / (gamma + delta + i)
            weight *= (alpha + i if i < x else beta_ + i - x) / (alpha + beta_ + i)
        left = mpf(0)
        for i in range(t_x, n):
            left += weight * gamma / (gamma + delta + i)
            weight *= (delta + i) / (gamma + delta + i) * (beta_ + i - x) / (alpha + beta_ + i)
        with workdps(60):
            ln_beta = lambda a, b: loggamma(a) + loggamma(b) - loggamma(a + b)
            scale = ln_beta(alpha, beta_) + ln_beta(gamma, delta)
            part = lambda i, g: exp(ln_beta(alpha + x, beta_ + i - x) + ln_beta(gamma + g, delta + i) - scale)
            verified(weight, part(n, 0))
            verified(left, sum(part(i, 1) for i in range(t_x, n)))
        return left, weight

    def loglik(self, x, t_x, n):
        return log(sum(self.weights(x, t_x, n)))

    def p_alive(self, x, t_x, n):
        left, alive = self.weights(x, t_x, n)
        return alive / (alive + left)

    def p_alive_at_n_plus_1(self, x, t_x, n):
        return self.p_alive(x, t_x, n) * self.after(x, n).stays(1)

    def after(self, x, n):
        return BetaGeometricBetaBernoulli(self.alpha + x, self.beta + n - x, self.gamma, self.delta + n)

    def stays(self, n):
        """E[(1 - theta)^n]"""
        return rf(self.delta, n) / rf(self.gamma + self.delta, n)

    def if_alive(self, n_star, d):
        gamma, delta, d = self.gamma, self.delta, mpf(d)
        if n_star == inf:
            value = annuity(gamma, delta, d) / (1 + d)
        else:
            value, weight = mpf(0), mpf(1)
            for i in range(n_star):
                weight *= (delta + i) / (gamma + delta + i) / (1 + d)
                value += weight
            with workdps(80):
                if d > 0:  # the rest of the infinite sum
                    rest = self.stays(n_star) * (1 + d) ** -n_star * published_annuity(gamma, delta + n_star, d)
                    second = (published_annuity(gamma, delta, d) - rest) / (1 + d)
                elif gamma == 1:
                    second = delta * (digamma(delta + n_star + 1) - digamma(delta + 1))
                else:
                    end = exp(loggamma(1 + delta + n_star) - loggamma(gamma + delta + n_star))
                    start = exp(loggamma(1 + delta) - loggamma(gamma + delta))
                    second = exp(loggamma(gamma + delta) - loggamma(1 + delta)) * delta / (gamma - 1) * (start - end)
            verified(value, second)
        return self.alpha / (self.alpha + self.beta) * value

    def cet(self, x, t_x, n, n_star):
        return self.p_alive(x, t_x, n) * self.after(x, n).if_alive(n_star, 0)

    def discounted(self, x, t_x, n, n_star, d):
        return self.p_alive(x, t_x, n) * self.after(x, n).if_alive(n_star, d)

    def buys(self, k, n):
        """k purchases at n opportunities: one order."""
        return rf(self.alpha, k) * rf(self.beta, n - k) / rf(self.alpha + self.beta, n)

    def at_least(self, n, k):
        """The opportunity of the k-th purchase."""
        if k == 0:
            return mpf(1)
        return sum((binomial(j - 1, k - 1) * self.buys(k, j) * self.stays(j) for j in range(k, n + 1)), mpf(0))

    def exactly(self, n, k):
        """The last opportunity before leaving."""
        result = mpf(0)
        for j in range(k, n + 1):
            leaves = self.gamma / (self.gamma + self.delta + j) if j < n else 1
            result += leaves * self.stays(j) * binomial(j, k) * self.buys(k, j)
        return result

    def distribution(self, n, count):
        return [self.exactly(n, k) if k <= n else mpf(0) for k in range(count)]


def gg_loglik(p, q, v, x, m):
    p, q, v, x, m = map(mpf, (p, q, v, x, m))
    result = loggamma(p * x + q) - loggamma(p * x) - loggamma(q) + q * log(v)
    return result + (p * x - 1) * log(m) + p * x * log(x) - (p * x + q) * log(v + m * x)


def gg_spend(p, q, v, x, m):
    p, q, v, x, m = map(mpf, (p, q, v, x, m))
    return p * (v + m * x) / (p * x + q - 1)


def text(pairs):
    return ";".join(f"{name}={value}" for name, value in pairs.items())


def digits(value):
    return mp.nstr(value, 17, min_fixed=0, max_fixed=0)


def row(model, quantity, params, inputs, value):
    print(f"{model},{quantity},{text(params)},{text(inputs)},{digits(value)}")


PARAMETERS = [
    ("0.243", "4.414", "0.793", "2.426"),     # CDNOW, weeks
    ("0.243", "30.898", "0.793", "2.426"),    # CDNOW, days
    ("0.826542", "9.843589", "0.0034374", "6.7451"),  # Online Retail: hardly anyone leaves
    ("0.5", "10", "1", "2.5"),                # removable singularity of the published formula
    ("0.5", "10", "1.000000001", "2.5"),
    ("2", "10", "3", "2"),                    # r + 1 - a is a whole number
    ("0.05", "1", "0.02", "0.03"),            # long tails on both sides
    ("3", "20", "40", "120"),                 # everybody leaves with nearly the same probability
    ("0.7", "15", "0.3", "900"),
    ("150", "400", "1.5", "4"),               # everybody buys at nearly the same rate
]
HISTORIES = [(0, 0, 0), (0, 0, 365), (1, 30, 365), (7, 300, 365), (60, 300, 365), (1000, 990, 1000)]
HORIZONS = ["0.001", "39", "365", "36500"]


def beta_geometric_rows():
    for name, first in (("bgnbd", 0), ("mbgnbd", 1)):
        for values in PARAMETERS:
            model = BetaGeometric(first, *values)
            params = dict(zip(("r", "alpha", "a", "b"), values))
            for x, t_x, T in HISTORIES:
                history = {"x": x, "t_x": t_x, "T": T}
                if T > 0:  # else it is 0
                    row(name, "loglik", params, history, model.loglik(x, t_x, T))
                row(name, "p_alive", params, history, model.p_alive(x, t_x, T))
                for t in HORIZONS:
                    row(name, "cet", params, history | {"t": t}, model.cet(x, t_x, T, mpf(t)))
            for x, t_x, T in (HISTORIES[0], HISTORIES[3]):
                history = {"x": x, "t_x": t_x, "T": T}
                for t, d in ((365, "0.01"), ("inf", "0.0002611")):
                    t_number = inf if t == "inf" else mpf(t)
                    value = model.discounted(x, t_x, T, t_number, d)
                    row(name, "discounted", params, history | {"t": t, "d": d}, value)
    # values of x and T at the ends of their range
    wide = BetaGeometric(0, "0.243", "4.414", "0.793", "2.426")
    params = dict(zip(("r", "alpha", "a", "b"), PARAMETERS[0]))
    ends = (100000, 999990, 1000000, 365), (100000, 1000000, 1000000, 1000000), (1, 1, 1000000, 1000000)
    for x, t_x, T, t in ends:
        history = {"x": x, "t_x": t_x, "T": T}
        row("bgnbd", "loglik", params, history, wide.loglik(x, t_x, T))
        row("bgnbd", "p_alive", params, history, wide.p_alive(x, t_x, T))
        row("bgnbd", "cet", params, history | {"t": t}, wide.cet(x, t_x, T, mpf(t)))


SPENDS = {
    "CDNOW": ("6.25", "3.74", "15.44"),
    "Online Retail": ("2.1034", "3.4512", "485.889"),
    "uneven": ("0.3", "1.05", "100"),
    "even": ("40", "30", "20"),
}


def gamma_gamma_rows():
    ends = ("0.01", "0.5", "1000"), ("2000", "900", "0.5")
    for values in (SPENDS["CDNOW"], *ends, SPENDS["Online Retail"]):
        params = dict(zip(("p", "q", "v"), values))
        for x, m in ((1, "0.01"), (3, "35"), (500, "12000"), (100000, "7.5")):
            inputs = {"x": x, "m": m}
            row("gg", "loglik", params, inputs, gg_loglik(*values, x, m))
            if mpf(values[0]) * x + mpf(values[1]) > 1:
                row("gg", "expected_spend", params, inputs, gg_spend(*values, x, m))


MODELS = {
    "bgnbd": (lambda *values: BetaGeometric(0, *values), ("r", "alpha", "a", "b")),
    "mbgnbd": (lambda *values: BetaGeometric(1, *values), ("r", "alpha", "a", "b")),
    "pnbd": (ParetoNbd, ("r", "alpha", "s", "beta")),
    "bgbb": (BetaGeometricBetaBernoulli, ("alpha", "beta", "gamma", "delta")),
    "sbg": (ShiftedBetaGeometric, ("alpha", "beta")),
}


def number(value):
    return inf if value == "inf" else mpf(value) if isinstance(value, str) else value


def rows(name, quantity, inputs, sets, points):
    """Each set of parameters at each point, NEW meaning a customer who has just made the first purchase."""
    make, parameters = MODELS[name]
    method, of_new = METHODS.get(quantity, (quantity, False))
    for values in sets:
        model = make(*values)
        for point in points:
            value = getattr(model, method)(*(NEW if of_new else ()), *map(number, point))
            row(name, quantity, dict(zip(parameters, values)), dict(zip(inputs.split(), point)), value)


NEW = (0, 0, 0)
METHODS = {"expectation": ("cet", True), "pmf": ("pmf", True), "pmf_conditional": ("pmf", False)}

PARETO = [
    ("0.553", "10.578", "0.606", "11.669"),       # CDNOW, weeks
    ("0.8", "10", "0.5", "10"),                   # alpha = beta
    ("0.5", "10000", "0.6", "0.001"),             # alpha >> beta
    ("0.5", "0.001", "0.6", "10000"),             # beta >> alpha
    ("0.7", "5", "1", "12"),                      # removable singularity of the published expectation
    ("0.7", "5", "1.000000001", "12"),
    ("0.7", "12", "0.999999999", "5"),
    ("0.001", "0.001", "0.001", "0.001"),
    ("0.001", "3", "0.9", "12"),                  # hardly anyone buys
    ("1000", "10000", "2000", "80000"),           # everybody is nearly the same
    ("150", "400", "3", "900"),
    ("0.8", "9.8", "0.001", "50"),                # hardly anyone leaves
]
# subsets, so that the file stays small
PARETO_FEW = [PARETO[i] for i in (0, 1, 2, 3, 4, 7, 9)]
PARETO_FEWER = [PARETO[i] for i in (0, 1, 3, 5, 10)]
PARETO_HISTORIES = [(0, 0, 365), (1, 30, 365), (60, 300, 365), (1000, 1000, 1000)]
PARETO_RECENT = [(0, 0, 0), (7, 365, 365), (7, "364.999999", 365)]
PARETO_LONG = [(0, 0, 1000000), (3, "0.001", 1000000), (100000, 999990, 1000000)]

BG_BB = [
    ("1.204", "0.75", "0.657", "2.783"),          # donations
    ("0.7", "2", "1", "5"),                       # removable singularity of the published expectation
    ("0.7", "2", "1.000000001", "5"),
    ("0.001", "0.001", "0.001", "0.001"),
    ("1000", "3000", "50", "1000"),               # everybody is nearly the same
    ("0.5", "2", "0.001", "10"),                  # hardly anyone leaves
    ("10000", "0.001", "2.5", "0.5"),             # buys whenever there is an opportunity
]
BG_BB_FEW = [BG_BB[i] for i in (0, 1, 3, 4, 5)]
BG_BB_HISTORIES = [(0, 0, 6), (2, 4, 6), (6, 6, 6), (1, 2000, 2000), (100, 500, 2000), (2000, 2000, 2000)]

SBG = [("0.704", "1.182"), ("1", "3"), ("0.001", "0.001"), ("3000", "10000"), ("0.001", "1000"), ("2.5", "0.001")]


def pareto_rows():
    full = lambda quantity, inputs, points: rows("pnbd", quantity, inputs, PARETO, points)
    few = lambda quantity, inputs, points: rows("pnbd", quantity, inputs, PARETO_FEW, points)
    fewer = lambda quantity, inputs, points: rows("pnbd", quantity, inputs, PARETO_FEWER, points)
    full("loglik", "x t_x T", PARETO_HISTORIES)
    full("p_alive", "x t_x T", PARETO_HISTORIES[:3])
    fewer("loglik", "x t_x T", PARETO_LONG + PARETO_RECENT[1:])
    fewer("p_alive", "x t_x T", PARETO_LONG + PARETO_RECENT)
    few("cet", "x t_x T t", [(0, 0, 365, 365), (7, 300, 365, "0.001"), (7, 300, 365, 36500), (1000, 1000, 1000, 39)])
    fewer("cet", "x t_x T t", [(*history, 1000000) for history in PARETO_LONG])
    full("expectation", "t", [("0.000001",), (39,), (1000000,)])
    few("discounted", "x t_x T t d", [(0, 0, 0, 365, "0.01"), (7, 300, 365, "inf", "0.0002611")])
    few("discounted", "x t_x T t d", [(60, 300, 365, "inf", "0.000000001")])
    fewer("discounted", "x t_x T t d", [(7, 365, 365, 39, 0), (7, 300, 365, 36500, "0.000001")])
    rows("pnbd", "discounted", "x t_x T t d", PARETO[9:11], [(7, 300, 365, "inf", 0)])
    few("pmf", "t n", [(39, 0), (39, 3), ("0.001", 1), (36500, 12)])
    fewer("pmf", "t n", [(1000000, 1000), (39, 200)])
    points = [(0, 0, 365, 39, 0), (7, 365, 365, 39, 2), (7, 300, 365, 36500, 300), (1000, 990, 1000, 39, 50)]
    few("pmf_conditional", "x t_x T t n", points)
    fewer("pmf_conditional", "x t_x T t n", [(100000, 999990, 1000000, 365, 40), (1, 30, 365, 1000000, 0)])


def bg_bb_rows():
    full = lambda quantity, inputs, points: rows("bgbb", quantity, inputs, BG_BB, points)
    few = lambda quantity, inputs, points: rows("bgbb", quantity, inputs, BG_BB_FEW, points)
    full("loglik", "x t_x n", BG_BB_HISTORIES)
    full("p_alive_at_n_plus_1", "x t_x n", [NEW, *BG_BB_HISTORIES[:5]])
    full("cet", "x t_x n n_star", [(0, 0, 6, 5), (2, 4, 6, 2000), (6, 6, 6, 1)])
    full("cet", "x t_x n n_star", [(100, 500, 2000, 10), (2000, 2000, 2000, 2000)])
    full("expectation", "n", [(1,), (11,), (2000,)])
    few("discounted", "x t_x n n_star d", [(0, 0, 0, "inf", "0.1"), (2, 4, 6, "inf", "0.000001")])
    few("discounted", "x t_x n n_star d", [(2000, 2000, 2000, "inf", "0.01")])
    few("discounted", "x t_x n n_star d", [(0, 0, 6, 5, "0.1"), (2, 4, 6, 2000, "0.000001"), (6, 6, 6, 10, 0)])
    rows("bgbb", "discounted", "x t_x n n_star d", [BG_BB[4], BG_BB[6]], [(2, 4, 6, "inf", 0)])
    points = [(0, 0, 0, 6, 0), (0, 0, 6, 5, 1), (2, 4, 6, 10, 10), (6, 6, 6, 200, 30)]
    few("pmf_conditional", "x t_x n n_star k", points)
    points = [(6, 6, 6, 5, 0), (100, 500, 2000, 50, 3), (1000, 2000, 2000, 2000, 900)]
    few("pmf_conditional", "x t_x n n_star k", points)


def sbg_rows():
    rows("sbg", "survival", "t", SBG, [(0,), (1,), (12,), (2000,)])
    rows("sbg", "retention", "t", SBG, [(1,), (12,), (2000,)])
    rows("sbg", "derl_before_renewal", "n d", SBG, [(1, "0.1"), (4, "0.000001"), (2000, "0.01"), (1, 9)])
    rows("sbg", "derl_before_renewal", "n d", [SBG[3], SBG[5]], [(4, 0)])


def beta_geometric_distribution_rows():
    for name in ("bgnbd", "mbgnbd"):
        few = [PARAMETERS[i] for i in (0, 3, 6, 7, 9)]
        rows(name, "pmf", "t n", few, [(39, 0), (39, 3), ("0.001", 1), (36500, 20)])
        rows(name, "pmf", "t n", few[:3], [(1000000, 1000)])
        points = [(0, 0, 365, 39, 0), (7, 300, 365, 39, 2), (7, 365, 365, 36500, 300), (1000, 990, 1000, 39, 50)]
        rows(name, "pmf_conditional", "x t_x T t n", few, points)
        rows(name, "pmf_conditional", "x t_x T t n", few[:3], [(100000, 999990, 1000000, 365, 40)])


QUANTILES = [(0, 0, 0, "0.2"), (1, 30, 60, "0.1"), (7, 59, 60, "0.5"), (7, 30, 60, "0.01")]
QUANTILES += [(60, 60, 60, "0.9"), (7, 60, 60, "0.8")]


def next_purchase_rows():
    """Only where the probability of another purchase is above q."""
    for name, sets in (("bgnbd", PARAMETERS), ("mbgnbd", PARAMETERS), ("pnbd", PARETO)):
        rows(name, "next_purchase_quantile", "x t_x T q", sets[:1], QUANTILES)
        corners = [sets[i] for i in ((1, 3, 10, 11) if name == "pnbd" else (2, 6, 9))]
        rows(name, "next_purchase_quantile", "x t_x T q", corners, [(60, 60, 60, "0.9"), (1000, 999, 1000, "0.001")])
        rows(name, "next_purchase_quantile", "x t_x T q", sets[7:10:2], [(7, 300, 365, "0.000001")])
    rows("bgnbd", "next_purchase_quantile", "x t_x T q", PARAMETERS[:1], [(0, 0, 0, "0.99")])
    rows("pnbd", "next_purchase_quantile", "x t_x T q", PARETO[:1], [(7, 60, 60, "0.92")])  # 0.9267 at the end


class Value:
    """What a customer spends: V times u / (1 - u), u ~ Beta(p n, Q) after n purchases."""

    def __init__(self, probabilities, p, Q, V):
        self.probabilities, self.p, self.Q, self.V = probabilities, p, Q, V
        self.coefficients = [0, *(P / beta(p * n, Q) for n, P in enumerate(probabilities) if n > 0)][::-1]
        likely = max(range(1, len(probabilities)), key=lambda n: probabilities[n])
        self.width = min(mpf(1), 4 * sqrt(1 / (p * likely) + 1 / Q))

    def density(self, w):
        """Of w = ln(value / V), at least one purchase."""
        u = 1 / (1 + exp(-w))
        return polyval(self.coefficients, u**self.p) * (1 - u) ** self.Q

    def up_to(self, w):
        """The density integrated."""
        edges, width, top = [w], self.width, self.density(w)
        while len(edges) < 4 or self.density(edges[-1]) > mpf(10) ** (-mp.dps - 5) * top:
            edges.append(edges[-1] - width)
            width *= mpf("1.25")
        return quad(self.density, edges[::-1], method="gauss-legendre")

    def quantile(self, level):
        wanted = level - self.probabilities[0]
        if wanted <= 0:
            return mpf(0)
        low, high, w = mpf(-400), mpf(100), mpf(0)
        with workdps(15):  # Newton within bounds
            step = 1
            while abs(step) > 1e-7 * self.width:
                excess = self.up_to(w) - wanted
                low, high = (low, w) if excess > 0 else (w, high)
                step = -excess / self.density(w)
                if not low < w + step < high or abs(step) > 4:
                    step = (low + high) / 2 - w if high - low < 8 else mpf(4 if excess < 0 else -4)
                w += step
        for _ in range(3):
            w -= (self.up_to(w) - wanted) / self.density(w)
        value = self.V * exp(w)
        return verified(value, value * exp((wanted - self.by_betas(w)) / self.density(w)))

    def by_betas(self, w):
        u = 1 / (1 + exp(-w))
        share = lambda n: betainc(self.p * n, self.Q, 0, u, regularized=True)
        return sum((P * share(n) for n, P in enumerate(self.probabilities) if n > 0), mpf(0))


ABOVE = "above"  # the level just above the probability of no purchase
# model, its parameters, spend, x, t_x, T, m, t, levels
VALUES = []
for name, sets in (("bgnbd", PARAMETERS), ("mbgnbd", PARAMETERS), ("pnbd", PARETO)):
    VALUES += [
        (name, sets[0], "CDNOW", 2, "30.43", "38.86", 35, 39, (ABOVE, "0.5", "0.9", "0.99")),
        (name, sets[0], "Online Retail", 0, 0, "38.86", 0, 39, ("0.5", ABOVE, "0.99")),
        (name, sets[0], "uneven", 1, 30, "38.86", "0.5", 39, (ABOVE, "0.9", "0.99")),
        (name, sets[0], "even", 7, 59, 60, 1000, 39, ("0.1", "0.5", "0.9")),
        (name, sets[1], "even", 1, 350, 365, 1000, 1000, ("0.5", "0.9", "0.99")),
        (name, sets[0], "Online Retail", 200, 50, 50, 20, 50, ("0.01", "0.1", "0.5", "0.9", "0.99")),
    ]
VALUES += [
    ("bgbb", BG_BB[0], "CDNOW", 2, 4, 6, 35, 5, (ABOVE, "0.5", "0.9", "0.99")),
    ("bgbb", BG_BB[0], "Online Retail", 0, 0, 6, 0, 10, ("0.5", ABOVE, "0.99")),
    ("bgbb", BG_BB[3], "uneven", 1, 5, 6, "0.5", 50, (ABOVE, "0.9", "0.99")),
    ("bgbb", BG_BB[4], "even", 1, 4, 6, 1000, 20, ("0.1", "0.5", "0.9")),
    ("bgbb", BG_BB[0], "Online Retail", 1900, 2000, 2000, 20, 211, ("0.01", "0.1", "0.5", "0.9", "0.99")),
]


def purchase_probabilities(model, x, t_x, T, t):
    """P(N = n) from `distribution`, up to where it is below 1e-35; some compared with `pmf`, the mean with `cet`."""
    alive, p_alive = model.after(x, T), model.p_alive(x, t_x, T)
    count = 16
    while alive.at_least(t, count) > mpf(10) ** -35:
        count = ceil(1.25 * count)
    result = [p_alive * P for P in alive.distribution(t, count)]
    result[0] += 1 - p_alive
    for n in (0, 1, 2, 5, count // 3, count // 2):
        if result[n] > 0:
            verified(result[n], model.pmf(x, t_x, T, t, n))
    verified(sum(n * P for n, P in enumerate(result)), model.cet(x, t_x, T, t))
    return result


def value_rows(name, values, spend, x, t_x, T, m, t, levels):
    make, parameters = MODELS[name]
    p, q, v = map(mpf, SPENDS[spend])
    probabilities = purchase_probabilities(make(*values), x, *map(number, (t_x, T, t)))
    value = Value(probabilities, p, q + p * x, v + mpf(m) * x)
    for level in levels:
        if level == ABOVE:
            level = f"{(int(probabilities[0] * 10**6) + 2) / 10**6:.6f}"
        inputs = (text(dict(zip(parameters, values))), *SPENDS[spend], x, t_x, T, m, t, level)
        print(name, *inputs, digits(value.quantile(mpf(level))), sep=",")


if __name__ == "__main__":
    if sys.argv[1] == "corners":
        print("model,quantity,params,inputs,value")
        beta_geometric_rows()
        gamma_gamma_rows()
        beta_geometric_distribution_rows()
        pareto_rows()
        bg_bb_rows()
        sbg_rows()
        next_purchase_rows()
    else:
        print("model,params,p,q,v,x,t_x,T,m,t,quantile_level,value")
        for case in VALUES:
            value_rows(*case)
