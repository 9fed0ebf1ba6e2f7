-- refund_outcomes: every refund once, and its amount in $reporting_currency.
-- grain: refund_id, rule
-- inputs: known_refunds, stg_orders, repeated_orders, daily_rates
-- params: $as_of_date, $reporting_currency
-- kept: yes
-- source: a refund is converted at the rate of its own day; without a currency it has its order's
with

-- the small side of a join stands on the left: that side is held in memory
order_ids as (

    select order_id
    from known_refunds
    group by order_id

),

refunded_orders as (

    select
        stg_orders.order_id,
        max(stg_orders.currency) filter (where stg_orders.broken_rule is null) as currency
    from order_ids
    right semi join stg_orders
        on order_ids.order_id = stg_orders.order_id
    group by stg_orders.order_id

),

with_currency as (

    select
        known_refunds.*,
        refunded_orders.order_id is not null as is_order_known,
        coalesce(
            known_refunds.currency,
            case
                when repeated_orders.order_id is not null then repeated_orders.currency
                else refunded_orders.currency
            end,
            $reporting_currency
        ) as refund_currency
    from known_refunds
    left join refunded_orders
        on known_refunds.order_id = refunded_orders.order_id
    left join repeated_orders
        on known_refunds.order_id = repeated_orders.order_id

),

-- through ten decimals, as in converted_orders
converted as (

    select
        with_currency.*,
        case
            when with_currency.refund_currency = $reporting_currency then with_currency.amount
            else try_cast(
                try_cast(
                    cast(with_currency.amount as double) * daily_rates.rate as decimal(38, 10)
                )
                as decimal(18, 4)
            )
        end as converted_amount,
        daily_rates.rate is null and with_currency.refund_currency != $reporting_currency
            as is_without_rate
    from daily_rates
    right join with_currency
        on daily_rates.currency = with_currency.refund_currency
        and daily_rates.rate_on = with_currency.refunded_on

),

judged as (

    select
        *,
        case
            when broken_rule is not null then broken_rule
            when is_without_rate then 'currency_has_rate'
            when converted_amount is null then 'amount_too_large'
        end as broken,
        coalesce(
            refunded_on > $as_of_date and broken_rule is distinct from 'refunded_at_in_range',
            false
        ) as is_later
    from converted

)

select
    ---------- ids
    refund_id,
    order_id,

    ---------- text
    case
        when is_later then 'after_as_of_date'
        when broken is not null then 'quarantined'
        else 'valid'
    end as outcome,
    case when not is_later then broken end as rule,  -- the first that the refund breaks
    case
        when is_later then null
        when broken_rule is not null then broken_detail
        when is_without_rate then refund_currency
        when converted_amount is null then cast(amount as varchar)
    end as detail,

    ---------- numerics
    converted_amount as amount,  -- money of the reporting currency

    ---------- booleans
    is_order_known  -- a row of the source orders has its order_id

from judged
