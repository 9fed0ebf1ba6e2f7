-- rows_by_outcome: What became of the rows
-- grain: source, outcome
-- inputs: int_run_counts
-- params: none
-- source: int_run_counts
select
    source,
    outcome,
    rows
from int_run_counts
where rows > 0
order by source, rows desc, outcome
