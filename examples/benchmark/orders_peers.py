"""Customer aggregates from orders by other engines: one question, asked in a process of its own.

    python orders_peers.py <engine> <formulation> <orders folder> <as-of date> [once]

writes a line once everything is imported, then the answer as a line of JSON: the sum of each
column over all customers. With `once`, one row of each order id counts.
"""

import json
import sys
from datetime import date

VALID = ["paid", "completed", "complete", "shipped", "delivered", "fulfilled", "closed"]
THREADS = 2
EPOCH = date(1970, 1, 1)
COLUMNS = ["customer_id", "purchase_days", "orders", "repeat_purchases", "recency_days",
           "age_days", "days_since_last_purchase", "gross_revenue", "net_revenue",
           "mean_repeat_value", "first_purchase_on", "last_purchase_on"]
# Of all customers; `mixed` is another one when two customers have changed places.
CHECKS = "select count(*) as customers, " + ", ".join(
    f"sum({column}) as {column}" for column in COLUMNS
) + ", sum(customer_id * days_since_last_purchase) as mixed from customers"

VALID_ORDERS = """
with valid_orders as (
    select customer_id, {day} as day, gross_amount, net_amount
    from {orders}
    where status in ({valid}) and net_amount > 0 and {day} <= {as_of}
),
"""

# Both engines of SQL are asked alike: days since 1970 are whole numbers.
BY_DAY = VALID_ORDERS + """
days as (
    select
        customer_id,
        day,
        count(*) as orders,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount
    from valid_orders
    group by customer_id, day
),

summed as (
    select
        customer_id,
        count(*) as purchase_days,
        cast(sum(orders) as bigint) as orders,
        min(day) as first_purchase_on,
        max(day) as last_purchase_on,
        sum(gross_amount) as gross_revenue,
        sum(net_amount) as net_revenue,
        {first_value} as first_value
    from days
    group by customer_id
),
"""

DISTINCT = VALID_ORDERS + """
counted as (
    select
        customer_id,
        count(distinct day) as purchase_days,
        count(*) as orders,
        min(day) as first_purchase_on,
        max(day) as last_purchase_on,
        sum(gross_amount) as gross_revenue,
        sum(net_amount) as net_revenue
    from valid_orders
    group by customer_id
),

first_values as (
    select valid_orders.customer_id, sum(net_amount) as first_value
    from valid_orders
    inner join counted
        on valid_orders.customer_id = counted.customer_id and day = first_purchase_on
    group by valid_orders.customer_id
),

summed as (
    select counted.*, first_value
    from counted
    inner join first_values on counted.customer_id = first_values.customer_id
),
"""

CUSTOMERS = """
customers as (
    select
        customer_id,
        purchase_days,
        orders,
        purchase_days - 1 as repeat_purchases,
        last_purchase_on - first_purchase_on as recency_days,
        {as_of} - first_purchase_on as age_days,
        {as_of} - last_purchase_on as days_since_last_purchase,
        gross_revenue,
        net_revenue,
        cast(net_revenue - first_value as double) / nullif(purchase_days - 1, 0)
            as mean_repeat_value,
        first_purchase_on,
        last_purchase_on
    from summed
)
"""

FORMULATIONS = {"by day": BY_DAY, "distinct days": DISTINCT}
# Only orders whose id is repeated have to be compared with each other.
ONCE = """(
    with repeated as (
        select order_id
        from {orders}
        group by order_id
        having count(*) > 1
    )

    select customer_id, ordered_at, status, gross_amount, net_amount
    from {others}
    union all
    select {columns}
    from {copies}
    group by order_id
)"""
ASKED = {
    "others": "{orders} as orders where not exists "
              "(select 1 from repeated where repeated.order_id = orders.order_id)",
    "copies": "{orders} as orders where exists "
              "(select 1 from repeated where repeated.order_id = orders.order_id)",
}
# DataFusion holds the left side of a join in memory: the few repeated ids, not the orders.
STREAMED = {
    "others": "repeated right anti join {orders} as orders on repeated.order_id = orders.order_id",
    "copies": "repeated right semi join {orders} as orders on repeated.order_id = orders.order_id",
}


def each_once(orders, first, joins=ASKED):
    columns = ["customer_id", "ordered_at", "status", "gross_amount", "net_amount"]
    joins = {name: join.format(orders=orders) for name, join in joins.items()}
    columns = ", ".join(f"{first}({column})" for column in columns)
    return ONCE.format(orders=orders, columns=columns, **joins)


def question(formulation, orders, as_of, **dialect):
    text = FORMULATIONS[formulation] + CUSTOMERS + CHECKS
    valid = ", ".join(f"'{status}'" for status in VALID)
    return text.format(orders=orders, as_of=(as_of - EPOCH).days, valid=valid, **dialect)


def duckdb(formulation, folder, as_of, once):
    import duckdb as engine

    connection = engine.connect(config={"threads": THREADS})
    orders = f"read_parquet('{folder}/*.parquet')"
    if once:
        orders = each_once(orders, "first")
    query = question(formulation, orders, as_of, first_value="arg_min(net_amount, day)",
                     day="cast(epoch_us(ordered_at) // 86400000000 as integer)")

    def answer():
        result = connection.execute(query)
        return dict(zip([column[0] for column in result.description], result.fetchone()))

    return answer


def datafusion(formulation, folder, as_of, once):
    import datafusion as engine

    context = engine.SessionContext(engine.SessionConfig().with_target_partitions(THREADS))
    context.register_parquet("orders", str(folder))
    orders = each_once("orders", "first_value", STREAMED) if once else "orders"
    query = question(formulation, orders, as_of, first_value="first_value(net_amount order by day)",
                     day="cast(cast(ordered_at as bigint) / 86400000000 as integer)")

    def answer():
        [row] = [row for batch in context.sql(query).collect() for row in batch.to_pylist()]
        return row

    return answer


def polars(formulation, folder, as_of, once):
    import os

    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    import polars as engine
    from polars import col

    formulation, runner = formulation.split(", ")
    orders = engine.scan_parquet(f"{folder}/*.parquet")
    if once:
        orders = orders.unique("order_id", keep="any")
    day = col("ordered_at").dt.date()
    orders = orders.filter(col("status").is_in(VALID), col("net_amount") > 0, day <= as_of)
    orders = orders.select("customer_id", "gross_amount", "net_amount", day=day)
    sums = {"gross_revenue": col("gross_amount").sum(), "net_revenue": col("net_amount").sum(),
            "first_purchase_on": col("day").min(), "last_purchase_on": col("day").max()}
    if formulation == "by day":
        days = orders.group_by("customer_id", "day").agg(
            col("gross_amount", "net_amount").sum(), orders=engine.len().cast(engine.Int64))
        summed = days.group_by("customer_id").agg(
            purchase_days=engine.len().cast(engine.Int64), orders=col("orders").sum(),
            first_value=col("net_amount").min_by("day"), **sums)
    else:
        summed = orders.group_by("customer_id").agg(
            purchase_days=col("day").n_unique().cast(engine.Int64),
            orders=engine.len().cast(engine.Int64),
            first_value=col("net_amount").filter(col("day") == col("day").min()).sum(), **sums)
    last = engine.lit(as_of)
    repeats = col("purchase_days") - 1
    repeat_value = (col("net_revenue") - col("first_value")).cast(engine.Float64)
    customers = summed.select(
        "customer_id", "purchase_days", "orders", "gross_revenue", "net_revenue",
        "first_purchase_on", "last_purchase_on",
        repeat_purchases=repeats,
        recency_days=(col("last_purchase_on") - col("first_purchase_on")).dt.total_days(),
        age_days=(last - col("first_purchase_on")).dt.total_days(),
        days_since_last_purchase=(last - col("last_purchase_on")).dt.total_days(),
        mean_repeat_value=engine.when(repeats > 0).then(repeat_value / repeats),
    )
    dates = engine.selectors.date().to_physical().cast(engine.Int64)
    checks = customers.with_columns(dates).select(
        engine.len().alias("customers"), col(COLUMNS).sum(),
        mixed=(col("customer_id") * col("days_since_last_purchase")).sum())
    return lambda: checks.collect(engine=runner).row(0, named=True)


ENGINES = {
    "DuckDB": (duckdb, ["by day", "distinct days"]),
    "Polars": (polars, [f"{formulation}, {runner}" for formulation in FORMULATIONS
                        for runner in ["streaming", "in-memory"]]),
    "DataFusion": (datafusion, ["by day", "distinct days"]),
}


def main():
    name, formulation, folder, as_of, *once = sys.argv[1:]
    engine, _ = ENGINES[name]
    answer = engine(formulation, folder, date.fromisoformat(as_of), bool(once))
    print("ready", flush=True)
    print(json.dumps(answer(), default=str), flush=True)


if __name__ == "__main__":
    main()
