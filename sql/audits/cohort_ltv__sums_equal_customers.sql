-- cohort_ltv__sums_equal_customers: cohorts add up to all customers and their revenue.
-- table: cohort_ltv
-- severity: error
-- inputs: cohort_ltv, customer_metrics
-- params: none
with

of_cohorts as (

    select
        coalesce(sum(customers) filter (where age_months = 0), 0) as customers,
        coalesce(sum(revenue), 0) as revenue
    from cohort_ltv

),

of_customers as (

    select
        count(*) as customers,
        coalesce(sum(net_revenue), 0) as revenue
    from customer_metrics

)

select
    of_cohorts.customers as cohort_customers,
    of_customers.customers as all_customers,
    of_cohorts.revenue as cohort_revenue,
    of_customers.revenue as all_revenue
from of_cohorts
cross join of_customers
where
    of_cohorts.customers != of_customers.customers
    or of_cohorts.revenue != of_customers.revenue
