"""Writes corners.csv: values of BG/NBD, MBG/NBD and Gamma-Gamma where double precision is hard, by mpmath.

Run: python3 reference.py > corners.csv

Formulas as published (Gauss 2F1; a purchase rate integrated against the discount), with 40 digits; the code under test
uses other formulas.
"""

from mpmath import mp, mpf, hyp2f1, inf, log, loggamma, exp, quad

mp.dps = 40


class BetaGeometric:
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


def gg_loglik(p, q, v, x, m):
    p, q, v, x, m = map(mpf, (p, q, v, x, m))
    result = loggamma(p * x + q) - loggamma(p * x) - loggamma(q) + q * log(v)
    return result + (p * x - 1) * log(m) + p * x * log(x) - (p * x + q) * log(v + m * x)


def gg_spend(p, q, v, x, m):
    p, q, v, x, m = map(mpf, (p, q, v, x, m))
    return p * (v + m * x) / (p * x + q - 1)


def row(model, quantity, params, inputs, value):
    text = lambda pairs: ";".join(f"{k}={v}" for k, v in pairs.items())
    print(f"{model},{quantity},{text(params)},{text(inputs)},{mp.nstr(value, 20, min_fixed=0, max_fixed=0)}")


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

if __name__ == "__main__":
    print("model,quantity,params,inputs,value")
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
    for x, t_x, T, t in ((100000, 999990, 1000000, 365), (100000, 1000000, 1000000, 1000000), (1, 1, 1000000, 1000000)):
        history = {"x": x, "t_x": t_x, "T": T}
        row("bgnbd", "loglik", params, history, wide.loglik(x, t_x, T))
        row("bgnbd", "p_alive", params, history, wide.p_alive(x, t_x, T))
        row("bgnbd", "cet", params, history | {"t": t}, wide.cet(x, t_x, T, mpf(t)))
    for values in (("6.25", "3.74", "15.44"), ("0.01", "0.5", "1000"), ("2000", "900", "0.5"), ("2.1034", "3.4512", "485.889")):
        params = dict(zip(("p", "q", "v"), values))
        for x, m in ((1, "0.01"), (3, "35"), (500, "12000"), (100000, "7.5")):
            inputs = {"x": x, "m": m}
            row("gg", "loglik", params, inputs, gg_loglik(*values, x, m))
            if mpf(values[0]) * x + mpf(values[1]) > 1:
                row("gg", "expected_spend", params, inputs, gg_spend(*values, x, m))
