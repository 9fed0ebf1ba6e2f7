-- customer_metrics__rates_in_range: histories are consistent and rates are possible.
-- table: customer_metrics
-- severity: error
-- inputs: customer_metrics
-- params: none
select
    customer_id,
    purchase_days,
    recency_days,
    age_days,
    purchases_per_year
from customer_metrics
where
    not (purchases_per_year between 0 and 366)
    or orders < purchase_days
    or repeat_purchases != purchase_days - 1
    or not (recency_days between repeat_purchases and age_days)
    or days_since_last_purchase != age_days - recency_days
