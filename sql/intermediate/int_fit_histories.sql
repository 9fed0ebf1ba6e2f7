-- int_fit_histories: the histories that models are fitted on, equal ones counted.
-- grain: fitted_on, fit_group, repeat_purchases, recency_days, age_days
-- inputs: customer_metrics, int_holdout_histories
-- params: $fit_by
-- source: all is up to $as_of_date, calibration up to the hold-out
with

customers as (

    select
        nullif(cast($fit_by as varchar), '(all)') as fit_group,
        repeat_purchases,
        recency_days,
        age_days
    from customer_metrics

),

histories as (

    select
        fit_group,
        repeat_purchases,
        recency_days,
        age_days,
        count(*) as customers
    from customers
    group by fit_group, repeat_purchases, recency_days, age_days

),

calibration_histories as (

    select
        fit_group,
        repeat_purchases,
        recency_days,
        age_days,
        sum(customers) as customers
    from int_holdout_histories
    group by fit_group, repeat_purchases, recency_days, age_days

),

fit_histories as (

    select 'all' as fitted_on, * from histories
    union all
    select 'calibration' as fitted_on, * from calibration_histories

)

select
    ---------- text
    fitted_on,
    fit_group,  -- the value of $fit_by, NULL without one

    ---------- numerics
    repeat_purchases,  -- days after the first
    recency_days,  -- days, first to last purchase
    age_days,  -- days, first purchase to the end
    customers

from fit_histories
