-- converted_orders: known_orders with amounts in $reporting_currency, at the rate of their day.
-- grain: order_id, broken_rule
-- inputs: known_orders, daily_rates
-- params: $reporting_currency
-- source: an order in another currency without a rate on or before its day is broken, never 1:1
with

-- the small side of a join stands on the left: that side is held in memory
rated as (

    select
        known_orders.*,
        daily_rates.rate,
        coalesce(known_orders.currency, $reporting_currency) != $reporting_currency as is_foreign
    from daily_rates
    right join known_orders
        on daily_rates.currency = known_orders.currency
        and daily_rates.rate_on = known_orders.ordered_on

),

-- a product is rounded to ten decimals first: binary numbers may miss a half by less than that,
-- and a half is rounded away from zero
converted as (

    select
        *,
        case
            when not is_foreign then gross_amount
            else try_cast(
                try_cast(cast(gross_amount as double) * rate as decimal(38, 10))
                as decimal(18, 4)
            )
        end as converted_gross_amount,
        case
            when not is_foreign then net_amount
            else try_cast(
                try_cast(cast(net_amount as double) * rate as decimal(38, 10))
                as decimal(18, 4)
            )
        end as converted_net_amount,
        case
            when not is_foreign then cost_amount
            else try_cast(
                try_cast(cast(cost_amount as double) * rate as decimal(38, 10))
                as decimal(18, 4)
            )
        end as converted_cost_amount
    from rated

),

checked as (

    select
        *,
        case
            when broken_rule is not null then broken_rule
            when is_foreign and rate is null then 'currency_has_rate'
            when
                converted_gross_amount is null
                or converted_net_amount is null
                or (converted_cost_amount is null and cost_amount is not null)
                then 'amount_too_large'
        end as found_rule
    from converted

)

select
    ---------- ids
    order_id,
    customer_id,

    ---------- text
    status,
    found_rule as broken_rule,
    case
        when found_rule is null then cast(null as varchar)
        when broken_rule is not null then broken_detail
        when is_foreign and rate is null then currency
        else cast(greatest(gross_amount, net_amount, cost_amount) as varchar)
    end as broken_detail,  -- the offending value

    ---------- numerics
    converted_gross_amount as gross_amount,  -- money of the reporting currency, as all amounts
    converted_net_amount as net_amount,  -- before refunds
    converted_cost_amount as cost_amount,
    versions,  -- rows that this order had

    ---------- booleans
    is_full_price,  -- NULL: a discount is not known of

    ---------- dates
    ordered_on  -- business date

from checked
