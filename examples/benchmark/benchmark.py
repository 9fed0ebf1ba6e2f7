"""How fast Loyalake is, compared with other libraries on the same customers: see README.md."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import peers
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

COLUMNS = ["repeat_purchases", "recency", "age"]
DAYS = 730
HORIZON = 365
# Longer than a pipe holds: while it is not read, the process is there and its memory can be read.
LONG_ANSWER = "select value from generate_series(1, 20000)"

# Customers of whom first and last purchase and the end of the 730 days are known to the day.
SIMULATED = """
with histories as (
    select
        customer_id,
        purchase_history(
            cast(ordered_at as date), gross_amount, date '2024-01-01' + {days}
        ) as history
    from simulate_purchases({customers}, {days}, 1)
    group by customer_id
)

select
    history['repeat_purchases'] as repeat_purchases,
    history['recency_days'] as recency,
    history['age_days'] as age
from histories
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Loyalake:
    """The command, asked one question at a time."""

    def __init__(self, path):
        self.path = path

    def knows(self, function):
        command = [self.path, "functions", function]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def ask(self, query):
        """The one row that answers, the seconds from question to answer, and the peak of memory.

        The start of the process does not count: it has answered a question before.
        """
        queries = f"select 1 as started; {query}; {LONG_ANSWER}"
        command = [self.path, "sql", "--format", "json", "-c", queries]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            start = time.perf_counter()
            [answer] = json.loads(process.stdout.readline())
            seconds = time.perf_counter() - start
            status = Path(f"/proc/{process.pid}/status").read_text()
            process.kill()
        [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        return answer, seconds, int(peak) / 1024

    def simulate(self, customers, folder):
        """A Parquet file of simulated customers."""
        path = folder / f"customers_{customers}.parquet"
        if path.exists():
            return path
        say(f"simulating {customers:,} customers")
        query = SIMULATED.format(customers=customers, days=DAYS)
        command = [self.path, "sql", "--format", "csv", "-c", query]
        types = pa.csv.ConvertOptions(column_types={column: pa.int32() for column in COLUMNS})
        unfinished = path.with_suffix(".unfinished")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            rows = pa.csv.open_csv(process.stdout, convert_options=types)
            with pa.parquet.ParquetWriter(unfinished, rows.schema) as file:
                for batch in rows:
                    file.write_batch(batch)
        unfinished.rename(path)
        return path


def read(path):
    """The file's columns as arrays of doubles."""
    table = pa.parquet.read_table(path, columns=COLUMNS)
    return [table[column].to_numpy().astype(float) for column in COLUMNS]


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


@contextmanager
def one_core():
    """Keeps this process, and those that it starts, on one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def table(header, rows):
    print("\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def spread(ratios):
    """The median, then the least and the largest."""
    figure = "{:.2g}×" if statistics.median(ratios) < 10 else "{:.0f}×"
    values = (statistics.median(ratios), min(ratios), max(ratios))
    median, least, most = (figure.format(value) for value in values)
    return f"{median} ({least} to {most})"


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
            answer, ours, _ = loyalake.ask(fit_query(model, path))
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
    answer, _, _ = loyalake.ask(fit_query(model, path))
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
            _, read_in, _ = loyalake.ask(reading)
            answer, ours, _ = loyalake.ask(query)
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
    _, _, read_in = loyalake.ask(reading)
    answer, seconds, fit = loyalake.ask(fit_query(model, path))
    say(f"{model}: {customers:,} customers, ours {seconds:.3f} s")
    distinct = answer["fit"]["rows_distinct"]
    return [model, f"{customers:,}", f"{distinct:,}", f"{fit - read_in:,.0f} MB"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loyalake", default="target/debug/loyalake", help="the command")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--peer-customers", type=int, metavar="N",
                        help="fit at most the file of N customers, ours and theirs alike")
    parser.add_argument("--many-customers", type=int, default=10_000_000,
                        help="for the memory of a fit; 0 leaves it out")
    parser.add_argument("--pairs", type=int, default=3, help="measurements, ours and theirs each")
    parser.add_argument("--models", nargs="+", default=list(peers.PARAMETERS))
    parser.add_argument("--folder", type=Path, help="where the simulated customers are kept",
                        default=Path(tempfile.gettempdir()) / "loyalake_benchmark")
    return parser.parse_args()


def main():
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    loyalake = Loyalake(options.loyalake)
    models = [model for model in options.models if loyalake.knows(f"{model}_fit")]
    for model in set(options.models) - set(models):
        say(f"{model} is left out: {options.loyalake} has no function {model}_fit")
    scored = loyalake.simulate(options.customers, options.folder)
    fewer = min(options.customers, options.peer_customers or options.customers)
    fitted = loyalake.simulate(fewer, options.folder)

    rows = [row for model in models
            for row in compare_fits(loyalake, model, fitted, options.pairs)]
    table(["fit", "customers", "compared with", "times faster", "log-likelihood", "theirs − ours"],
          rows)
    with one_core():
        rows = [row for model in models
                for row in compare_scoring(loyalake, model, scored, options.pairs)]
    table(["scoring on one core", "customers", "question", "times the rows of scipy per second",
           "relative difference"], rows)
    if options.many_customers:
        path = loyalake.simulate(options.many_customers, options.folder)
        rows = [memory(loyalake, model, path, options.many_customers) for model in models]
        table(["memory of a fit", "customers", "distinct histories", "above reading the file"],
              rows)


if __name__ == "__main__":
    main()
