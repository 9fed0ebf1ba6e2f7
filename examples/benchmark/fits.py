"""Fits and scores by Loyalake, and by libraries that do the same in Python."""

import json
import subprocess
import time

import fits_peers as peers
import pyarrow as pa
import pyarrow.parquet
from measure import answered, cores, say, spread, table
from simulate import CUSTOMER_COLUMNS as COLUMNS
from simulate import customers as simulate_customers

HORIZON = 365


def ask(loyalake, query):
    """The one row that answers, the seconds from question to answer, and the peak of memory."""
    queries = f"select 1 as started; {query}"
    run = answered([loyalake, "sql", "--format", "json", "-c", queries])
    [answer] = json.loads(run.answer)
    return answer, run.seconds, run.megabytes


def knows(loyalake, function):
    command = [loyalake, "functions", function]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def read(path):
    """The file's columns as arrays of doubles."""
    table = pa.parquet.read_table(path, columns=COLUMNS)
    return [table[column].to_numpy().astype(float) for column in COLUMNS]


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def fit_query(model, path):
    return f"select {model}_fit({', '.join(COLUMNS)}) as fit from '{path}'"


def values(fit):
    return [parameter["value"] for parameter in fit["parameters"]]


def compare_fits(loyalake, model, path, pairs):
    """One row for each library: how many times faster ours is, and who has the higher maximum."""
    customers = read(path)
    log_likelihood = getattr(peers, f"{model}_log_likelihood")
    rows = []
    for name, fitter in peers.FITS.items():
        try:
            fit = fitter()
        except ImportError as error:
            say(f"{name} is left out: {error}")
            continue
        fit(model, [column[:1000] for column in customers])  # compiles what it compiles
        ratios = []
        for _ in range(pairs):
            answer, ours, _ = ask(loyalake, fit_query(model, path))
            theirs_found, theirs = timed(fit, model, customers)
            say(f"{model}: ours {ours:.3f} s, {name} {theirs:.3f} s")
            ratios.append(theirs / ours)
        ours_found = values(answer["fit"])
        maxima = [float(log_likelihood(found, *customers)) for found in (ours_found, theirs_found)]
        rows.append([
            model, f"{len(customers[0]):,}", name, spread(ratios), f"{maxima[0]:.4f}",
            f"{maxima[1] - maxima[0]:+.4f}",
        ])
    return rows


def sum_by_scipy(formula, fits, customers, more):
    return sum(formula(fit, *customers, *more).sum() for fit in fits)


def compare_scoring(loyalake, model, path, pairs):
    """One row for each question: how many times the rows per second of scipy.

    Each customer is scored by several fits: so that this, not reading the file, is what takes time.
    """
    customers = read(path)
    answer, _, _ = ask(loyalake, fit_query(model, path))
    best = values(answer["fit"])
    fits = [[value * (1 + 0.01 * k) for value in best] for k in range(8)]
    reading = f"select sum({' + '.join(COLUMNS)}) as total from '{path}'"
    rows = []
    for question, more in [("p_alive", []), ("expected_purchases", [HORIZON])]:
        formula = getattr(peers, f"{model}_{question}")
        given = ", ".join([*COLUMNS, *map(str, more)])
        calls = [f"btyd_{question}(fitted_model('{model}', {fit}), {given})" for fit in fits]
        query = f"select sum({' + '.join(calls)}) as total from '{path}'"
        ratios = []
        for _ in range(pairs):
            _, read_in, _ = ask(loyalake, reading)
            answer, ours, _ = ask(loyalake, query)
            total, theirs = timed(sum_by_scipy, formula, fits, customers, more)
            say(f"{model} {question}: ours {ours:.3f} s, of which {read_in:.3f} s are reading; "
                f"scipy {theirs:.3f} s")
            if ours <= read_in:
                raise SystemExit(f"{len(customers[0])} customers are too few to time the scoring")
            ratios.append(theirs / (ours - read_in))
        difference = abs(answer["total"] / total - 1)
        rows.append([
            model, f"{len(customers[0]):,}", question, spread(ratios), f"{difference:.0e}",
        ])
    return rows


def memory(loyalake, model, path, customers):
    """One row: the peak of memory of a fit above that of reading the file."""
    reading = f"select sum({' + '.join(COLUMNS)}) as total from '{path}'"
    _, _, read_in = ask(loyalake, reading)
    answer, seconds, fit = ask(loyalake, fit_query(model, path))
    say(f"{model}: {customers:,} customers, ours {seconds:.3f} s")
    distinct = answer["fit"]["rows_distinct"]
    return [model, f"{customers:,}", f"{distinct:,}", f"{fit - read_in:,.0f} MB"]


def compare(loyalake, options):
    """Prints the tables of fits, of scoring, and of memory."""
    models = [model for model in options.models if knows(loyalake, f"{model}_fit")]
    for model in set(options.models) - set(models):
        say(f"{model} is left out: {loyalake} has no function {model}_fit")
    scored = simulate_customers(loyalake, options.customers, options.folder)
    fewer = min(options.customers, options.peer_customers or options.customers)
    fitted = simulate_customers(loyalake, fewer, options.folder)

    rows = [row for model in models
            for row in compare_fits(loyalake, model, fitted, options.pairs)]
    table(["fit", "customers", "compared with", "times faster", "log-likelihood",
           "theirs − ours"], rows)
    with cores(1):
        rows = [row for model in models
                for row in compare_scoring(loyalake, model, scored, options.pairs)]
    table(["scoring on one core", "customers", "question", "times the rows of scipy per second",
           "relative difference"], rows)
    if options.many_customers:
        path = simulate_customers(loyalake, options.many_customers, options.folder)
        rows = [memory(loyalake, model, path, options.many_customers) for model in models]
        table(["memory of a fit", "customers", "distinct histories", "above reading the file"],
              rows)
