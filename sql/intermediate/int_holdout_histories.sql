-- int_holdout_histories: how customers stood before the hold-out, and what they bought in it.
-- grain: fit_group, repeat_purchases, recency_days, age_days, holdout_purchases
-- inputs: customer_metrics, int_customer_histories
-- params: $fit_by, $holdout_days
-- source: customers acquired before the last $holdout_days days; purchases are days with a valid
--     order; models are asked about equal histories once
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

),

histories as (

    select
        fit_groups.fit_group,
        acquired.history['calibration_purchase_days'] - 1 as repeat_purchases,
        acquired.history['calibration_last_purchase_on'] - acquired.history['first_purchase_on']
            as recency_days,
        acquired.history['age_days'] - $holdout_days as age_days,
        acquired.history['purchase_days'] - acquired.history['calibration_purchase_days']
            as holdout_purchases
    from fit_groups
    right join acquired
        on fit_groups.customer_id = acquired.customer_id

)

select
    ---------- text
    fit_group,  -- the value of $fit_by, NULL without one

    ---------- numerics
    repeat_purchases,  -- days after the first
    recency_days,  -- days, first to last purchase
    age_days,  -- days, up to the hold-out
    holdout_purchases,  -- days with a valid order in the hold-out
    count(*) as customers  -- of whom all this holds

from histories
group by fit_group, repeat_purchases, recency_days, age_days, holdout_purchases
