"""A whole night: `loyalake run` beside the one aggregate that other engines compute."""

import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import orders
import orders_peers as peers
from measure import answered, exponent, say, spread, table, whole
from simulate import LAST_DAY

PUBLISHED = """
with customers as (
    select
        {columns},
        cast(first_purchase_on as int) as first_purchase_on,
        cast(last_purchase_on as int) as last_purchase_on
    from customer_metrics
)
"""


def relations_from_orders(loyalake, project):
    """The relations through which orders become customer_metrics."""
    command = [loyalake, "graph", "--config", project / "lake.toml"]
    graph = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    reads = {}
    for line in graph.splitlines():
        name, _, inputs = line.partition("←")
        reads[name.split()[-1]] = inputs.strip().split(", ")

    def leads_from_orders(name):
        return name == "stg_orders" or any(map(leads_from_orders, reads.get(name, [])))

    def path(name):
        found = {name}
        for read in filter(leads_from_orders, reads.get(name, [])):
            found |= path(read)
        return found

    return path("customer_metrics")


def run(loyalake, project):
    """One night into an empty lake: the process, and the seconds of the relations of orders."""
    shutil.rmtree(project / "lake", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "run.json"
        night = whole([loyalake, "run", "--config", project / "lake.toml", "--as-of", LAST_DAY,
                       "--report", report])
        relations = json.loads(report.read_text())["relations"]
    names = relations_from_orders(loyalake, project)
    seconds = sum(relation["seconds"] for relation in relations if relation["name"] in names)
    say(f"night: {night}; {seconds:.2f} s in {len(names)} relations of orders")
    return night, seconds


def check_published(loyalake, project, expected):
    """Stops unless the night's customer_metrics has the sums that all have found."""
    columns = ", ".join(name for name in peers.COLUMNS if not name.endswith("_purchase_on"))
    query = PUBLISHED.format(columns=columns) + peers.CHECKS
    command = [loyalake, "sql", "--config", project / "lake.toml", "--format", "json", "-c",
               f"select 1 as started; {query}"]
    orders.agree(expected, orders.checks(answered(command).answer), "customer_metrics")


def compare(loyalake, projects, pairs):
    """Prints the table of nights, and how their time grows with orders."""
    rows = []
    medians = []
    for count, project in projects.items():
        expected = orders.correct(loyalake, project)
        plain, once = (orders.best_peer(project, expected, once) for once in (False, True))
        nights, wholes, parts, parts_once = [], [], [], []
        for _ in range(pairs):
            night, seconds = run(loyalake, project)
            check_published(loyalake, project, expected)
            nights.append(night)
            theirs, theirs_once = plain.run(expected), once.run(expected)
            wholes.append(night.seconds / theirs)
            parts.append(seconds / theirs)
            parts_once.append(seconds / theirs_once)
        peak = f"{max(night.megabytes for night in nights):,.0f} MB"
        rows += [
            [f"{count:,}", "whole night", plain.name, "no", spread(wholes), peak],
            [f"{count:,}", "its relations of orders", plain.name, "no", spread(parts), ""],
            [f"{count:,}", "its relations of orders", once.name, "yes", spread(parts_once), ""],
        ]
        medians.append(statistics.median(night.seconds for night in nights))
    table(["orders", "ours", "aggregate of", "each order once", "time, ours / theirs",
           "peak memory, ours"], rows)
    if len(projects) > 1:
        table(["time grows with orders", "to the power of"],
              [["whole night", f"{exponent(projects, medians):.2f}"]])
