"""A whole night: `loyalake run` beside the one aggregate that other engines compute."""

import json
import shutil
import statistics
import subprocess
import tempfile
from datetime import timedelta
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


def night_of(loyalake, project, day):
    """One night: the process, the seconds of the relations of orders, and bytes read of orders."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        night = whole([loyalake, "run", "--config", project / "lake.toml", "--as-of", day,
                       "--report", path])
        report = json.loads(path.read_text())
    names = relations_from_orders(loyalake, project)
    seconds = sum(relation["seconds"] for relation in report["relations"]
                  if relation["name"] in names)
    megabytes = report["inputs"][0]["bytes_read"] / 1e6
    say(f"night: {night}; {seconds:.2f} s in {len(names)} relations of orders, {megabytes:.1f} MB")
    return night, seconds, megabytes


def run(loyalake, project):
    """One night into an empty lake."""
    shutil.rmtree(project / "lake", ignore_errors=True)
    return night_of(loyalake, project, LAST_DAY)


def run_a_day_later(loyalake, project):
    """The last night of a lake that has the one before: the orders of one day are new."""
    shutil.rmtree(project / "lake", ignore_errors=True)
    new = project / "orders" / f"{LAST_DAY}.parquet"
    aside = new.rename(project / new.name)
    try:
        night_of(loyalake, project, LAST_DAY - timedelta(days=1))
    finally:
        aside.rename(new)
    return night_of(loyalake, project, LAST_DAY)


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
    days = []
    medians = []
    for count, project in projects.items():
        expected = orders.correct(loyalake, project)
        plain, once = (orders.best_peer(project, expected, once) for once in (False, True))
        nights, wholes, parts, parts_once = [], [], [], []
        later, later_parts, later_bytes = [], [], []
        for _ in range(pairs):
            night, seconds, megabytes = run(loyalake, project)
            check_published(loyalake, project, expected)
            nights.append(night)
            day, day_seconds, day_megabytes = run_a_day_later(loyalake, project)
            check_published(loyalake, project, expected)
            later.append(day.seconds / night.seconds)
            later_parts.append(day_seconds / seconds)
            later_bytes.append(day_megabytes / megabytes)
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
        days.append([f"{count:,}", spread(later), spread(later_parts), spread(later_bytes)])
        medians.append(statistics.median(night.seconds for night in nights))
    table(["orders", "ours", "aggregate of", "each order once", "time, ours / theirs",
           "peak memory, ours"], rows)
    table(["orders", "a day more / all anew: time", "of its relations of orders",
           "bytes read of orders"], days)
    if len(projects) > 1:
        table(["time grows with orders", "to the power of"],
              [["whole night", f"{exponent(projects, medians):.2f}"]])
