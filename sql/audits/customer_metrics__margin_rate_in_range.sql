-- customer_metrics__margin_rate_in_range: no customer's profit exceeds the revenue.
-- table: customer_metrics
-- severity: warn
-- inputs: customer_metrics
-- params: none
select
    customer_id,
    margin_rate,
    margin_status
from customer_metrics
where not (margin_rate <= 1)
