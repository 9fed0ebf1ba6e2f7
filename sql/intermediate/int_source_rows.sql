-- int_source_rows: the rows of every source by what became of them, quarantined ones by their key.
-- grain: source, outcome, row_key, rule, detail
-- inputs: int_judged_rows, order_outcomes
-- params: none
-- source: definitions in the relations named *_outcomes
with

source_rows as (

    select
        source,
        outcome,
        -- of a key that is too long, enough to find it
        case when outcome = 'quarantined' then left(row_key, 200) end as row_key,
        rule,
        detail,
        cast(1 as bigint) as rows
    from int_judged_rows

    union all

    select
        'orders' as source,
        outcome,
        row_key,
        rule,
        detail,
        cast(1 as bigint) as rows
    from order_outcomes

    union all

    select
        'orders' as source,
        'older_version' as outcome,
        cast(null as varchar) as row_key,
        cast(null as varchar) as rule,
        cast(null as varchar) as detail,
        older_versions as rows
    from order_outcomes
    where older_versions > 0

)

select
    ---------- text
    source,
    outcome,
    row_key,
    rule,
    detail,

    ---------- numerics
    cast(sum(rows) as bigint) as rows

from source_rows
group by source, outcome, row_key, rule, detail
