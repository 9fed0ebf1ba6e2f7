-- daily_rates: exchange rates into $reporting_currency of every currency and day.
-- grain: currency, rate_on
-- inputs: stg_fx_rates
-- params: $as_of_date, $reporting_currency
-- source: a rate holds from its date until the day before the next, the last one until $as_of_date
with

good_rates as (

    select
        from_currency,
        rate_date,
        max(rate) as rate  -- of contradicting rates for one day, so that rows' order is no matter
    from stg_fx_rates
    where
        broken_rule is null
        and to_currency = $reporting_currency
        and from_currency != $reporting_currency
        and rate_date <= $as_of_date
    group by from_currency, rate_date

),

rate_periods as (

    select
        from_currency,
        rate,
        rate_date as first_on,
        lead(rate_date) over (partition by from_currency order by rate_date) as next_on
    from good_rates

),

rate_days as (

    select
        from_currency,
        rate,
        unnest(
            range(
                first_on,
                coalesce(next_on, $as_of_date + interval '1 day'),
                interval '1 day'
            )
        ) as rate_on
    from rate_periods

)

select
    ---------- text
    from_currency as currency,

    ---------- numerics
    cast(rate as double) as rate,  -- units of the reporting currency per unit of currency

    ---------- dates
    cast(rate_on as date) as rate_on  -- business date

from rate_days
