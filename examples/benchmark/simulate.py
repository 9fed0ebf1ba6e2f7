"""Simulated orders as a shop would keep them: a Parquet file a month, in the order of time."""

import shutil
import subprocess
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

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
    command = [loyalake, "sql", "--format", "csv", "-c", query]
    types = pa.csv.ConvertOptions(column_types=STREAMED)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        rows = pa.csv.open_csv(process.stdout, convert_options=types)
        pa.dataset.write_dataset(rows, folder, format="parquet", partitioning=["file"],
                                 min_rows_per_group=50_000)
    if process.returncode:
        raise SystemExit(f"{loyalake} sql failed; the orders are not complete")


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
