"""Customer aggregates from orders, by Loyalake and by other engines, from the same files."""

import json
import statistics
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from math import isclose
from pathlib import Path

import orders_peers as peers
from measure import answered, exponent, say, spread, table
from simulate import LAST_DAY

BY_ORDER = """
    select
        customer_id,
        history,
        history['purchases'] as orders,
        gross_revenue
    from (
        select
            customer_id,
            purchase_history(business_date(ordered_at, 'UTC'), net_amount, date '{as_of}')
                as history,
            sum(gross_amount) as gross_revenue
        from valid_orders
        group by customer_id
    )
"""
BY_DAY = """
    select
        customer_id,
        purchase_history(ordered_on, net_amount, date '{as_of}') as history,
        sum(orders) as orders,
        sum(gross_amount) as gross_revenue
    from (
        select
            customer_id,
            business_date(ordered_at, 'UTC') as ordered_on,
            count(*) as orders,
            sum(gross_amount) as gross_amount,
            sum(net_amount) as net_amount
        from valid_orders
        group by customer_id, ordered_on
    )
    group by customer_id
"""
FORMULATIONS = {"by order": BY_ORDER, "by day": BY_DAY}
QUESTION = """
with valid_orders as (
    select *
    from {orders} as orders
    where
        status in ({valid})
        and net_amount > 0
        and business_date(ordered_at, 'UTC') <= date '{as_of}'
),

histories as ({histories}),

customers as (
    select
        customer_id,
        history['purchase_days'] as purchase_days,
        orders,
        history['repeat_purchases'] as repeat_purchases,
        history['recency_days'] as recency_days,
        history['age_days'] as age_days,
        history['days_since_last_purchase'] as days_since_last_purchase,
        gross_revenue,
        history['exact_total'] as net_revenue,
        history['mean_repeat_value'] as mean_repeat_value,
        cast(history['first_purchase_on'] as int) as first_purchase_on,
        cast(history['last_purchase_on'] as int) as last_purchase_on
    from histories
)
"""


@dataclass
class Contestant:
    """Who answers, and the command for each of its formulations of the question."""

    name: str
    commands: dict
    best: str = ""
    runs: list = field(default_factory=list)

    def choose(self, correct):
        """Tries each formulation, which also fills the cache of files, and keeps the fastest."""
        seconds = {}
        for formulation, command in self.commands.items():
            run = answered(command)
            agree(correct, checks(run.answer), f"{self.name}, {formulation}")
            seconds[formulation] = run.seconds
            say(f"{self.name}, {formulation}: {run}")
        self.best = min(seconds, key=seconds.get)

    def run(self, correct):
        run = answered(self.commands[self.best])
        agree(correct, checks(run.answer), self.name)
        say(f"{self.name}: {run}")
        self.runs.append(run)
        return run.seconds

    def seconds(self):
        return statistics.median(run.seconds for run in self.runs)

    def megabytes(self):
        return max(run.megabytes for run in self.runs)


def checks(answer):
    """The sums as numbers, in whichever way the engine writes them."""
    rows = json.loads(answer, parse_float=str)
    [row] = rows if isinstance(rows, list) else [rows]
    return {name: Decimal(value) for name, value in row.items()}


def agree(expected, found, who):
    """Stops unless all sums are equal, those of doubles up to their last digits."""
    for name, value in expected.items():
        is_double = name == "mean_repeat_value"
        if value != found[name] and not (is_double and isclose(value, found[name])):
            raise SystemExit(f"{who} finds {name} {found[name]}, ours is {value}")


def ours(loyalake, project, once=False):
    source = f"'{project / 'orders'}/*.parquet'"
    if once:
        source = peers.each_once(source, "first_value", peers.STREAMED)
    commands = {}
    valid = ", ".join(f"'{status}'" for status in peers.VALID)
    for formulation, histories in FORMULATIONS.items():
        query = QUESTION.format(orders=source, as_of=LAST_DAY, valid=valid,
                                histories=histories.format(as_of=LAST_DAY)) + peers.CHECKS
        queries = f"select 1 as started; {query}"
        commands[formulation] = [loyalake, "sql", "--format", "json", "-c", queries]
    return Contestant("Loyalake", commands)


def others(project, once=False):
    script = Path(peers.__file__)
    return [
        Contestant(name, {
            formulation: [sys.executable, script, name, formulation, project / "orders", LAST_DAY]
            + ["once"] * once
            for formulation in formulations
        })
        for name, (_, formulations) in peers.ENGINES.items()
    ]


def correct(loyalake, project):
    """What all must find."""
    [command, *_] = ours(loyalake, project).commands.values()
    return checks(answered(command).answer)


def best_peer(project, expected, once=False):
    """The fastest of the other engines in its best formulation."""
    peers_here = others(project, once)
    for peer in peers_here:
        peer.choose(expected)
        peer.run(expected)
    best = min(peers_here, key=Contestant.seconds)
    best.runs.clear()
    return best


def compare(loyalake, projects, pairs):
    """Prints the table of customer aggregates, and how time grows with orders."""
    rows = []
    seconds = {}
    for (count, project), once in product(projects.items(), (False, True)):
        expected = correct(loyalake, project)
        us = ours(loyalake, project, once)
        us.choose(expected)
        for peer in others(project, once):
            peer.choose(expected)
            ratios = [us.run(expected) / peer.run(expected) for _ in range(pairs)]
            rows.append([
                f"{count:,}", "yes" if once else "no", us.best, peer.name, peer.best,
                spread(ratios), f"{us.megabytes():,.0f} MB", f"{peer.megabytes():,.0f} MB",
            ])
            seconds.setdefault((peer.name, once), []).append(peer.seconds())
        seconds.setdefault(("Loyalake", once), []).append(us.seconds())
    table(["orders", "each order once", "ours", "compared with", "theirs", "time, ours / theirs",
           "peak memory, ours", "theirs"], rows)
    if len(projects) > 1:
        rows = [[name, "yes" if once else "no", f"{exponent(projects, values):.2f}"]
                for (name, once), values in sorted(seconds.items(), key=lambda item: item[0][1])]
        table(["time grows with orders", "each order once", "to the power of"], rows)
