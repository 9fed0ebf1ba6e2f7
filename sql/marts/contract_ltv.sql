-- contract_ltv: how long each customer's contracts are expected to go on, and what they will bring.
-- grain: customer_id
-- inputs: contract_outcomes, int_contract_fit
-- params: $contract_period_months, $discount_rate_annual
-- source: Fader and Hardie (2010), Marketing Science 29(1), discounted expected residual lifetime
--     just before the next renewal, that renewal undiscounted
with

fitted as (

    select
        customer_id,
        is_ended,
        value_per_period,
        sbg_expected_lifetime(
            (select fit from int_contract_fit where fit['status'] = 'ok'), periods + 1,
            1 / discount_factor($discount_rate_annual, $contract_period_months * 365.25 / 12) - 1
        ) as residual_periods
    from contract_outcomes
    where outcome = 'valid'

),

-- sums of decimals and integers: they do not depend on the order of rows
summed as (

    select
        customer_id,
        count(*) as contracts,
        count(*) filter (where not is_ended) as running_contracts,
        sum(value_per_period) filter (where not is_ended) as value_per_period,
        max(residual_periods) filter (where not is_ended) as residual_periods,
        sum(cast(residual_periods * cast(value_per_period as double) as decimal(38, 10)))
            filter (where not is_ended) as residual_value
    from fitted
    group by customer_id

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(
        case
            when running_contracts = 0 then 'ended'
            when residual_periods is null then 'no_model'
            else 'ok'
        end as varchar
    ) as contract_status,

    ---------- numerics
    cast(contracts as bigint) as contracts,
    cast(running_contracts as bigint) as running_contracts,
    -- money of running contracts; an audit stops at sums that are too large for their type
    try_cast(coalesce(value_per_period, 0) as decimal(18, 4)) as value_per_period,
    cast(
        case when running_contracts = 0 then 0 else residual_periods end as double
    ) as residual_lifetime_periods,  -- discounted periods, of the running contract with the most
    cast(
        case when running_contracts = 0 then 0 else residual_value end as double
    ) as residual_value  -- money, discounted, of all running contracts

from summed
