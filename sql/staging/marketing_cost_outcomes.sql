-- marketing_cost_outcomes: every marketing cost in $reporting_currency, and what became of it.
-- grain: none
-- inputs: daily_rates, stg_marketing_costs
-- params: $as_of_date, $reporting_currency
-- source: a cost is converted at the rate of its own day; equal rows are different costs
with

told_apart as (

    select
        *,
        coalesce(currency, $reporting_currency) != $reporting_currency as is_foreign
    from stg_marketing_costs

),

-- the small side of a join stands on the left: that side is held in memory; through ten decimals,
-- as in converted_orders
converted as (

    select
        told_apart.*,
        case
            when not told_apart.is_foreign then told_apart.amount
            else try_cast(
                try_cast(
                    cast(told_apart.amount as double) * daily_rates.rate as decimal(38, 10)
                )
                as decimal(18, 4)
            )
        end as converted_amount,
        told_apart.is_foreign and daily_rates.rate is null as is_without_rate
    from daily_rates
    right join told_apart
        on daily_rates.currency = told_apart.currency
        and daily_rates.rate_on = told_apart.cost_date

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
            cost_date > $as_of_date and broken_rule is distinct from 'cost_date_in_range', false
        ) as is_later
    from converted

)

select
    ---------- text
    channel,
    purpose,
    case
        when is_later then 'after_as_of_date'
        when broken is not null then 'quarantined'
        else 'valid'
    end as outcome,
    case when not is_later then broken end as rule,  -- the first that the cost breaks
    case
        when is_later then null
        when broken_rule is not null then broken_detail
        when is_without_rate then currency
        when converted_amount is null then cast(amount as varchar)
    end as detail,

    ---------- numerics
    converted_amount as amount,  -- money of the reporting currency

    ---------- dates
    cost_date as cost_on  -- business date

from judged
