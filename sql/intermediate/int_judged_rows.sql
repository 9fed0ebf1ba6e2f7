-- int_judged_rows: the rows of every source but orders, each with what became of it.
-- grain: none
-- inputs: contact_outcomes, contract_outcomes, customer_outcomes, marketing_cost_outcomes,
--     referral_outcomes, refund_outcomes, stg_fx_rates, stg_order_items, stg_products
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

    union all

    select source, contact_id as row_key, outcome, rule, detail
    from contact_outcomes

    union all

    select 'referrals' as source, cast(referral_id as varchar) as row_key, outcome, rule, detail
    from referral_outcomes

    union all

    select
        'marketing_costs' as source,
        cast(cost_on as varchar) || '/' || channel || '/' || purpose as row_key,
        outcome,
        rule,
        detail
    from marketing_cost_outcomes

)

select
    source,
    case when broken_rule is null then 'valid' else 'quarantined' end as outcome,
    row_key,
    broken_rule as rule,
    broken_detail as detail
from dimension_rows

union all

select
    source,
    outcome,
    row_key,
    rule,
    detail
from judged_rows
