"""Simulated orders as a shop would keep them, and simulated customers, as Parquet files."""

import shutil
import subprocess
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
from measure import say

FIRST_DAY = date(2024, 1, 1)  # of simulate_purchases
DAYS = 731
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
# Of BG/NBD: with these a customer orders seven or eight times in two years.
PARAMETERS = "2.0, 46.0, 0.8, 4.0"
ORDERS_PER_CUSTOMER = 7.54

MONEY = pa.decimal128(18, 4)
STREAMED = {
    "customer_id": pa.int64(),
    "ordered_at": pa.timestamp("us"),
    "gross_amount": MONEY,
    "file": pa.string(),
}
# The last day has a file of its own, so that it can come a night later.
QUERY = """
select
    customer_id,
    ordered_at,
    gross_amount,
    case
        when ordered_at >= timestamp '{last_day}' then '{last_day}'
        else to_char(ordered_at, '%Y-%m')
    end as file
from simulate_purchases({customers}, {days}, 1, {parameters})
"""

CUSTOMER_DAYS = 730
CUSTOMER_COLUMNS = ["repeat_purchases", "recency", "age"]
# Customers of whom first and last purchase and the end of the 730 days are known to the day.
CUSTOMERS = """
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

CANCELLED = 0.02  # share of orders
DISCOUNTED = 0.2  # share of orders; a tenth of the gross amount is taken off

LAKE = """\
[lake]
output = "lake"

[sources.orders]
location = "orders/"
format = "parquet"
"""


def orders(loyalake, count, folder):
    """A project with about `count` orders: lake.toml and orders/2024-01.parquet and so on."""
    project = folder / f"orders_{count / 1e6:g}m"
    if project.exists():
        return project
    say(f"simulating {count:,} orders")
    unfinished = folder / f"{project.name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    stream(loyalake, count, unfinished / "streamed")
    (unfinished / "orders").mkdir()
    first_id = 1
    for streamed in sorted((unfinished / "streamed").iterdir()):
        first_id = write(streamed, unfinished / "orders" / f"{streamed.name}.parquet", first_id)
    shutil.rmtree(unfinished / "streamed")
    (unfinished / "lake.toml").write_text(LAKE)
    unfinished.rename(project)
    return project


def stream(loyalake, count, folder):
    """The orders of each file of the project in a folder of its own, in any order."""
    query = QUERY.format(customers=max(1, round(count / ORDERS_PER_CUSTOMER)), days=DAYS,
                         parameters=PARAMETERS, last_day=LAST_DAY)
    with answer(loyalake, query, STREAMED) as rows:
        pa.dataset.write_dataset(rows, folder, format="parquet", partitioning=["file"],
                                 min_rows_per_group=50_000)


@contextmanager
def answer(loyalake, query, types):
    """The rows that answer, as they come."""
    command = [loyalake, "sql", "--format", "csv", "-c", query]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        options = pa.csv.ConvertOptions(column_types=types)
        yield pa.csv.open_csv(process.stdout, convert_options=options)
    if process.returncode:
        raise SystemExit(f"{loyalake} sql failed; what it wrote is not complete")


def write(streamed, path, first_id):
    """One file of the project; the next order id."""
    table = pa.dataset.dataset(streamed).to_table()
    table = table.sort_by([("ordered_at", "ascending"), ("customer_id", "ascending")])
    count = len(table)
    random = np.random.default_rng(first_id)
    gross = table["gross_amount"]
    tenth = pc.cast(pc.multiply(gross, pa.scalar(Decimal("0.1"))), MONEY)
    discount = pc.if_else(random.random(count) < DISCOUNTED, tenth, pa.scalar(Decimal(0), MONEY))
    columns = {
        "order_id": pa.array(np.arange(first_id, first_id + count)),
        "customer_id": table["customer_id"],
        "ordered_at": pc.assume_timezone(table["ordered_at"], "UTC"),
        "status": pc.if_else(random.random(count) < CANCELLED, "cancelled", "paid"),
        "currency": pa.repeat("USD", count),
        "gross_amount": gross,
        "discount_amount": discount,
        "net_amount": pc.cast(pc.subtract(gross, discount), MONEY),
    }
    # compression and row groups as DuckDB writes them
    pa.parquet.write_table(pa.table(columns), path, compression="snappy", row_group_size=122_880)
    return first_id + count


def customers(loyalake, count, folder):
    """A file of what is known of so many customers."""
    path = folder / f"customers_{count}.parquet"
    if path.exists():
        return path
    say(f"simulating {count:,} customers")
    query = CUSTOMERS.format(customers=count, days=CUSTOMER_DAYS)
    types = {column: pa.int32() for column in CUSTOMER_COLUMNS}
    unfinished = path.with_suffix(".unfinished")
    with answer(loyalake, query, types) as rows:
        with pa.parquet.ParquetWriter(unfinished, rows.schema) as file:
            for batch in rows:
                file.write_batch(batch)
    unfinished.rename(path)
    return path
