-- int_source_rows: the rows of every source by what became of them, quarantined ones by their key.
-- grain: source, outcome, row_key, rule, detail
-- inputs: contract_outcomes, customer_outcomes, int_customer_days, refund_outcomes, stg_fx_rates,
--     stg_order_items, stg_products
-- params: $as_of_date
-- source: definitions in the relations named *_outcomes; rows of other sources are valid, or
--     quarantined when they break their contract
with

dimension_rows as (

    select
        'order_items' as source,
        cast(order_id as varchar) || '/' || cast(line_no as varchar) as row_key,
        broken_rule,
        broken_detail
    from stg_order_items

    union all

    select 'products' as source, cast(product_id as varchar) as row_key, broken_rule, broken_detail
    from stg_products

    union all

    select
        'fx_rates' as source,
        cast(rate_date as varchar) || '/' || from_currency || '/' || to_currency as row_key,
        broken_rule,
        broken_detail
    from stg_fx_rates
    where
        rate_date <= $as_of_date
        or rate_date is null
        or broken_rule = 'rate_date_in_range'

),

judged_rows as (

    select 'refunds' as source, cast(refund_id as varchar) as row_key, outcome, rule, detail
    from refund_outcomes

    union all

    select 'contracts' as source, cast(contract_id as varchar) as row_key, outcome, rule, detail
    from contract_outcomes

    union all

    select 'customers' as source, cast(customer_id as varchar) as row_key, outcome, rule, detail
    from customer_outcomes

),

source_rows as (

    select
        source,
        case when broken_rule is null then 'valid' else 'quarantined' end as outcome,
        -- of a key that is too long, enough to find it
        case when broken_rule is not null then left(row_key, 200) end as row_key,
        broken_rule as rule,
        broken_detail as detail,
        cast(1 as bigint) as rows
    from dimension_rows

    union all

    select
        source,
        outcome,
        case when outcome = 'quarantined' then left(row_key, 200) end as row_key,
        rule,
        detail,
        cast(1 as bigint) as rows
    from judged_rows

    union all

    select
        'orders' as source,
        outcome,
        row_key,
        rule,
        detail,
        orders as rows
    from int_customer_days

    union all

    select
        'orders' as source,
        'older_version' as outcome,
        cast(null as varchar) as row_key,
        cast(null as varchar) as rule,
        cast(null as varchar) as detail,
        older_versions as rows
    from int_customer_days
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
