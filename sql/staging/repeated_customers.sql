-- repeated_customers: the customer ids that occur more than once, each once.
-- grain: customer_id
-- inputs: repeated_customer_ids, stg_customers
-- params: none
-- source: the latest created_at counts; equal ones are ranked by content, so that the choice does
--     not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
ranked as (

    select
        stg_customers.*,
        row_number() over (
            partition by stg_customers.customer_id
            order by
                stg_customers.created_at desc nulls last,
                stg_customers.is_test desc nulls last,
                stg_customers.acquisition_channel,
                stg_customers.country,
                stg_customers.birth_date
        ) as copy_rank
    from repeated_customer_ids
    right semi join stg_customers
        on repeated_customer_ids.customer_id = stg_customers.customer_id
    where stg_customers.broken_rule is null

)

select
    ---------- ids
    customer_id,

    ---------- text
    acquisition_channel,
    country,

    ---------- booleans
    is_test

from ranked
where copy_rank = 1
