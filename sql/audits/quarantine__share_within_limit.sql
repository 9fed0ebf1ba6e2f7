-- quarantine__share_within_limit: no source has more than $max_quarantined_share of bad rows.
-- table: quarantine
-- severity: quarantine
-- inputs: int_run_counts, int_source_rows
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

),

rules as (

    select
        source,
        rule,
        sum(rows) as rows,
        min(row_key) as row_key,
        first_value(detail order by row_key asc, detail asc) as detail
    from int_source_rows
    where outcome = 'quarantined'
    group by source, rule

),

commonest as (

    select
        source,
        first_value(rule order by rows desc, rule asc) as rule,
        first_value(rows order by rows desc, rule asc) as rows,
        first_value(row_key order by rows desc, rule asc) as row_key,
        first_value(detail order by rows desc, rule asc) as detail
    from rules
    group by source

)

select
    shares.source,
    shares.quarantined_rows,
    shares.known_rows,
    cast(quarantined_rows as double) / known_rows as quarantined_share,
    commonest.rule as commonest_rule,
    commonest.rows as rows_of_rule,
    commonest.row_key as for_example,
    commonest.detail as example_detail
from shares
left join commonest on shares.source = commonest.source
where cast(quarantined_rows as double) / known_rows > $max_quarantined_share
