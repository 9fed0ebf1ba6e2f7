"""The same work by other libraries: fits by lifetimes and pymc-marketing, formulas by scipy."""

import logging
import warnings

import numpy as np
import pandas as pd
from scipy.special import gammaln, hyp2f1

warnings.filterwarnings("ignore")

PARAMETERS = {
    "bg_nbd": ["r", "alpha", "a", "b"],
    "pareto_nbd": ["r", "alpha", "s", "beta"],
}


def lifetimes():
    """A function that fits a model to customers; made once, so that imports do not count."""
    from lifetimes import BetaGeoFitter, ParetoNBDFitter

    def fit(model, customers):
        np.random.seed(1)  # ParetoNBDFitter starts from a random point
        fitter = {"bg_nbd": BetaGeoFitter, "pareto_nbd": ParetoNBDFitter}[model]()
        fitter.fit(*customers)
        return [float(fitter.params_[name]) for name in PARAMETERS[model]]

    return fit


def pymc_marketing():
    """The same by maximum a posteriori, with the priors that the library chooses."""
    logging.getLogger("pymc").setLevel(logging.ERROR)
    from pymc_marketing.clv import BetaGeoModel, ParetoNBDModel

    def fit(model, customers):
        data = pd.DataFrame(dict(zip(["frequency", "recency", "T"], customers)))
        data["customer_id"] = np.arange(len(data))
        fitter = {"bg_nbd": BetaGeoModel, "pareto_nbd": ParetoNBDModel}[model](data=data)
        fitter.fit(method="map", progressbar=False)
        return [float(fitter.idata.posterior[name].mean()) for name in PARAMETERS[model]]

    return fit


FITS = {"lifetimes": lifetimes, "pymc-marketing": pymc_marketing}


def bg_nbd_odds_of_having_left(parameters, x, t_x, age):
    r, alpha, a, b = parameters
    with np.errstate(divide="ignore"):
        odds = a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    return np.where(x > 0, odds, 0.0)


def bg_nbd_p_alive(parameters, x, t_x, age):
    return 1 / (1 + bg_nbd_odds_of_having_left(parameters, x, t_x, age))


def bg_nbd_expected_purchases(parameters, x, t_x, age, horizon):
    # Euler's transformation: bounded parameters, which scipy sums in fewer terms
    r, alpha, a, b = parameters
    z = horizon / (alpha + age + horizon)
    stay = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
    if_alive = (a + b + x - 1) / (a - 1) * (1 - stay)
    return if_alive * bg_nbd_p_alive(parameters, x, t_x, age)


def bg_nbd_log_likelihood(parameters, x, t_x, age):
    r, alpha, a, b = parameters
    purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    staying = gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x)
    odds = bg_nbd_odds_of_having_left(parameters, x, t_x, age)
    return np.sum(purchases + staying + np.log1p(odds))


def pareto_nbd_odds_of_having_left(parameters, x, t_x, age):
    r, alpha, s, beta = parameters
    n, longer = r + s + x, max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def lost_by(time):
        return hyp2f1(n, second, n + 1, abs(alpha - beta) / (longer + time))

    since = lost_by(t_x) - ((longer + t_x) / (longer + age)) ** n * lost_by(age)
    rate = (r + x) * np.log((alpha + age) / (longer + t_x))
    rate += s * np.log((beta + age) / (longer + t_x))
    return s / n * np.exp(rate) * np.maximum(since, 0.0)


def pareto_nbd_p_alive(parameters, x, t_x, age):
    return 1 / (1 + pareto_nbd_odds_of_having_left(parameters, x, t_x, age))


def pareto_nbd_expected_purchases(parameters, x, t_x, age, horizon):
    r, alpha, s, beta = parameters
    stay = ((beta + age) / (beta + age + horizon)) ** (s - 1)
    if_alive = (r + x) * (beta + age) / ((alpha + age) * (s - 1)) * (1 - stay)
    return if_alive * pareto_nbd_p_alive(parameters, x, t_x, age)


def pareto_nbd_log_likelihood(parameters, x, t_x, age):
    r, alpha, s, beta = parameters
    alive = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age)
    alive += s * np.log(beta / (beta + age))
    return np.sum(alive + np.log1p(pareto_nbd_odds_of_having_left(parameters, x, t_x, age)))
