-- customer_metrics__decimals_equal_doubles: decimal sums, which may wrap, equal double sums.
-- table: customer_metrics
-- severity: error
-- inputs: customer_metrics, int_customer_days
-- params: $relative_tolerance
with

sums as (

    select
        cast(customer_id as varchar) as customer,
        purchased_on,
        cast(net_amount as double) as decimal_sum,
        net_amount_double as double_sum
    from int_customer_days
    where outcome = 'valid'

    union all

    select
        'all customers' as customer,
        cast(null as date) as purchased_on,
        (select cast(sum(net_revenue) as double) from customer_metrics) as decimal_sum,
        sum(net_amount_double) as double_sum
    from int_customer_days
    where outcome = 'valid'

)

select
    customer,
    purchased_on,
    decimal_sum,
    double_sum
from sums
where abs(decimal_sum - double_sum) > $relative_tolerance * abs(double_sum)
