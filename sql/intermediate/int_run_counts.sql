-- int_run_counts: the number of rows of every source by what became of them.
-- grain: source, outcome
-- inputs: int_source_rows
-- params: none
-- source: definition in int_source_rows
select
    ---------- text
    source,
    outcome,

    ---------- numerics
    cast(sum(rows) as bigint) as rows

from int_source_rows
group by source, outcome
