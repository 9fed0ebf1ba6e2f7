-- quarantine: the rows that broke a rule of their source, and count nowhere.
-- grain: source, row_key, rule
-- inputs: int_source_rows
-- params: none
-- source: the contracts, and the rules of amounts in other currencies
with

quarantined as (

    select
        source,
        -- of a row without a key the detail is its file and row number
        coalesce(nullif(row_key, ''), detail, '(no key)') as row_key,
        rule,
        detail,
        rows
    from int_source_rows
    where outcome = 'quarantined'

)

select
    ---------- ids
    cast(source as varchar) as source,
    cast(row_key as varchar) as row_key,  -- the key; parts are joined by /
    cast(rule as varchar) as rule,  -- the first one that the row breaks

    ---------- text
    cast(left(min(detail), 200) as varchar) as detail,  -- the offending value, of one of the rows

    ---------- numerics
    cast(sum(rows) as bigint) as rows

from quarantined
group by source, row_key, rule
