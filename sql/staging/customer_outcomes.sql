-- customer_outcomes: every row of the source customers, and what became of it.
-- grain: customer_id, rule
-- inputs: run.erased, stg_customers
-- params: none
-- source: rows of customers whom `loyalake erase` was asked to forget are not even quarantined
with

-- the small side of a join stands on the left: that side is held in memory
judged as (

    select
        stg_customers.*,
        case
            when erased.customer_id is not null then 'erased'
            when stg_customers.broken_rule is not null then 'quarantined'
            else 'valid'
        end as outcome
    from run.erased as erased
    right join stg_customers
        on erased.customer_id = stg_customers.customer_id

)

select
    ---------- ids
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail

from judged
