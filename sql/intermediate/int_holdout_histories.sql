-- int_holdout_histories: customers as they stood before the hold-out, and what they bought in it.
-- grain: customer_id
-- inputs: customer_metrics, int_customer_histories
-- params: $fit_by, $holdout_days
-- source: customers acquired before the last $holdout_days days; purchases are days with a valid
--     order
with

-- without $fit_by no row is left, and nothing is joined
fit_groups as (

    select
        customer_id,
        nullif(cast($fit_by as varchar), '(all)') as fit_group
    from customer_metrics
    where cast($fit_by as varchar) is not null

),

acquired as (

    select
        customer_id,
        history
    from int_customer_histories
    where
        history['age_days'] >= $holdout_days
        and $holdout_days > 0

)

select
    ---------- ids
    acquired.customer_id,

    ---------- text
    fit_groups.fit_group,  -- NULL: none

    ---------- numerics
    acquired.history['calibration_purchase_days'] - 1 as repeat_purchases,  -- days after the first
    acquired.history['calibration_last_purchase_on'] - acquired.history['first_purchase_on']
        as recency_days,
    acquired.history['age_days'] - $holdout_days as age_days,  -- days, up to the hold-out
    acquired.history['purchase_days'] - acquired.history['calibration_purchase_days']
        as holdout_purchases

from fit_groups
right join acquired
    on fit_groups.customer_id = acquired.customer_id
