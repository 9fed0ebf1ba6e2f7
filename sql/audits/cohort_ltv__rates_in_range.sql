-- cohort_ltv__rates_in_range: rates are possible, intervals hold them, and all began together.
-- table: cohort_ltv
-- severity: error
-- inputs: cohort_ltv
-- params: none
select
    cohort_month,
    age_months,
    customers,
    active_customers,
    retention_rate,
    ci_low,
    ci_high,
    cumulative_revenue
from cohort_ltv
where
    not (retention_rate between ci_low and ci_high)
    or not (ci_low >= 0 and ci_high <= 1)
    or (age_months = 0 and active_customers != customers)
    or not (revenue between 0 and cumulative_revenue)
