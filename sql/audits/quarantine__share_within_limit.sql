-- quarantine__share_within_limit: no source has more than $max_quarantined_share of bad rows.
-- table: quarantine
-- severity: quarantine
-- inputs: int_run_counts
-- params: $max_quarantined_share
with

shares as (

    -- rows after the date of the run are not known yet
    select
        source,
        coalesce(sum(rows) filter (where outcome = 'quarantined'), 0) as quarantined_rows,
        sum(rows) as known_rows
    from int_run_counts
    where outcome not in ('after_as_of_date', 'older_version')
    group by source

)

select
    source,
    quarantined_rows,
    known_rows,
    cast(quarantined_rows as double) / known_rows as quarantined_share
from shares
where cast(quarantined_rows as double) / known_rows > $max_quarantined_share
