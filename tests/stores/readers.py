"""Opens every table of a lake with other engines, and prints what each of them reads, as JSON.

Usage: readers.py <lake> <date>; one object for each table and engine: rows, columns with their
types, and the sum of each numeric column.
"""

import json
import pathlib
import sys

import deltalake
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.compute


def of_arrow(table):
    """Rows, types and sums of an Arrow table."""
    sums = {}
    for field in table.schema:
        is_number = [pyarrow.types.is_decimal, pyarrow.types.is_floating, pyarrow.types.is_integer]
        if any(is_kind(field.type) for is_kind in is_number):
            total = pyarrow.compute.sum(table[field.name]).as_py()
            sums[field.name] = None if total is None else float(total)
    types = {field.name: str(field.type) for field in table.schema}
    return {"rows": table.num_rows, "types": types, "sums": sums}


def of_polars(folder, date):
    day = polars.lit(date).str.to_date()
    frame = polars.scan_delta(folder).filter(polars.col("as_of_date") == day)
    return of_arrow(frame.collect().to_arrow())


def of_pandas(table, partition):
    # by Arrow types: with its own, pandas turns whole numbers with a NULL into floats
    frame = table.to_pandas(partitions=partition, types_mapper=pandas.ArrowDtype)
    return of_arrow(pyarrow.Table.from_pandas(frame, preserve_index=False))


def of_duckdb(table, date):
    published = table.to_pyarrow_dataset()
    query = f"select * from published where as_of_date = date '{date}'"
    return of_arrow(duckdb.sql(query).to_arrow_table())


def main():
    lake, date = sys.argv[1:]
    partition = [("as_of_date", "=", date)]
    for folder in sorted(pathlib.Path(lake).iterdir()):
        if not (folder / "_delta_log").is_dir():
            continue
        table = deltalake.DeltaTable(str(folder))
        protocol = table.protocol()
        needs = {
            "reader": protocol.min_reader_version,
            "writer": protocol.min_writer_version,
            "features": (protocol.reader_features or []) + (protocol.writer_features or []),
        }
        answers = {
            "polars": of_polars(str(folder), date),
            "pandas": of_pandas(table, partition),
            "pyarrow": of_arrow(table.to_pyarrow_table(partitions=partition)),
            "duckdb": of_duckdb(table, date),
        }
        for engine, answer in answers.items():
            print(json.dumps({"table": folder.name, "engine": engine, **needs, **answer}))


if __name__ == "__main__":
    main()
