-- cohort_ltv: how many of the customers of each month came back in later ones, and what they spent.
-- grain: cohort_month, age_months
-- inputs: int_cohort_months
-- params: $as_of_date
-- source: a cohort are the customers with their first purchase in a calendar month, age_months the
--     calendar months since; interval: Wilson (1927), Journal of the American Statistical
--     Association 22
with

active_months as (

    select
        acquisition_month,
        age_months,
        sum(active_customers) as active_customers,
        sum(revenue) as revenue
    from int_cohort_months
    group by acquisition_month, age_months

),

-- everybody bought in the first month
cohorts as (

    select
        acquisition_month,
        active_customers as customers,
        cast(
            12 * (date_part('year', $as_of_date) - date_part('year', acquisition_month))
            + date_part('month', $as_of_date)
            - date_part('month', acquisition_month) as bigint
        ) as last_age
    from active_months
    where age_months = 0

),

ages as (

    select
        *,
        unnest(generate_series(0, last_age)) as age_months
    from cohorts

),

filled as (

    select
        ages.*,
        coalesce(active_months.active_customers, 0) as active_customers,
        coalesce(active_months.revenue, 0) as revenue
    from ages
    left join active_months
        on ages.acquisition_month = active_months.acquisition_month
        and ages.age_months = active_months.age_months

),

-- windows over few rows: months and ages
cumulated as (

    select
        *,
        wilson_interval(active_customers, customers, 0.95) as retention_interval,
        sum(revenue) over (
            partition by acquisition_month
            order by age_months
            rows between unbounded preceding and current row
        ) as cumulative_revenue
    from filled

)

select
    ---------- ids
    cast(acquisition_month as date) as cohort_month,  -- its first day
    cast(age_months as int) as age_months,  -- calendar months; 0 is that of the first purchase

    ---------- numerics
    cast(customers as bigint) as customers,  -- of the cohort
    cast(active_customers as bigint) as active_customers,  -- with a valid order in the month
    cast(active_customers as double) / customers as retention_rate,  -- 0 to 1
    cast(retention_interval['low'] as double) as ci_low,  -- 95 %, of retention_rate
    cast(retention_interval['high'] as double) as ci_high,
    cast(revenue as decimal(28, 4)) as revenue,  -- money of valid orders after refunds
    cast(cumulative_revenue as decimal(28, 4)) as cumulative_revenue,  -- money up to the month
    cast(cumulative_revenue as double) / customers as cumulative_revenue_per_customer,  -- money

    ---------- booleans
    age_months < last_age or date_part('day', $as_of_date + 1) = 1 as is_mature  -- month is over

from cumulated
