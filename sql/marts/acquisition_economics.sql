-- acquisition_economics: what the customers of each month and channel cost, and what they bring.
-- grain: acquisition_month, channel
-- inputs: int_acquisition_costs, int_acquisition_customers, int_acquisition_values, run.supplied
-- params: $as_of_date
-- source: customer acquisition cost, ratios to it, and payback as in the inputs
with

joined as (

    select
        int_acquisition_costs.*,
        int_acquisition_values.* exclude (acquisition_month, channel),
        int_acquisition_customers.lifetime_value,
        case
            when (select referrals from run.supplied)
                then coalesce(int_acquisition_customers.referred_customers, 0)
        end as referred_customers,
        cast(
            int_acquisition_costs.acquisition_month + interval '1 month' as date
        ) - 1 as last_day
    from int_acquisition_costs
    left join int_acquisition_values
        on int_acquisition_costs.acquisition_month = int_acquisition_values.acquisition_month
        and int_acquisition_costs.channel = int_acquisition_values.channel
    left join int_acquisition_customers
        on int_acquisition_costs.acquisition_month = int_acquisition_customers.acquisition_month
        and int_acquisition_costs.channel = int_acquisition_customers.channel

),

judged as (

    -- windows over few rows: months and channels
    select
        *,
        cast(sum(spend) over (partition by acquisition_month) as double) as month_spend,
        sum(new_customers) over (partition by acquisition_month) as month_customers,
        nullif(new_customers, 0) as customers,
        case
            when spend <= 0 then new_customers - referred_customers
            when spend > 0 then 0
        end as organic_customers,
        cast(lifetime_value as double) / nullif(new_customers, 0) as predicted_ltv,
        case
            when new_customers = 0 then 'no_new_customers'
            when last_day + 90 > $as_of_date then 'immature'
            else 'ok'
        end as ltv_90d_status,
        case
            when new_customers = 0 then 'no_new_customers'
            when last_day + 365 > $as_of_date then 'immature'
            else 'ok'
        end as ltv_365d_status
    from joined

)

select
    ---------- ids
    cast(acquisition_month as date) as acquisition_month,  -- its first day
    cast(channel as varchar) as channel,  -- unknown: of customers without one

    ---------- text
    cast(cac_status as varchar) as cac_status,  -- ok, no_spend, no_new_customers, missing_input
    cast(
        case
            when referred_customers is null then 'missing_input'
            when new_customers = 0 then 'no_new_customers'
            else 'ok'
        end as varchar
    ) as referral_status,
    cast(
        case
            when organic_customers is null then 'missing_input'
            when new_customers = 0 then 'no_new_customers'
            else 'ok'
        end as varchar
    ) as organic_status,
    cast(ltv_90d_status as varchar) as ltv_90d_status,  -- ok, immature, no_new_customers
    cast(ltv_365d_status as varchar) as ltv_365d_status,
    cast(
        case
            when cac_status != 'ok' then cac_status
            when months_to_payback is null then 'not_yet'
            else 'paid_back'
        end as varchar
    ) as payback_status,
    cast(payback_basis as varchar) as payback_basis,  -- profit, revenue; NULL: nobody came

    ---------- numerics
    cast(spend as decimal(28, 4)) as spend,  -- money spent on acquisition; NULL: not supplied
    cast(new_customers as bigint) as new_customers,  -- with their first purchase in the month
    cast(paid_cac as double) as paid_cac,  -- money per new customer
    month_spend / nullif(month_customers, 0) as blended_cac,  -- of all channels of the month
    cast(referred_customers as bigint) as referred_customers,
    cast(referred_customers as double) / customers as referral_share,  -- 0 to 1
    wilson_interval(referred_customers, customers, 0.95)['low'] as referral_share_ci_low,
    wilson_interval(referred_customers, customers, 0.95)['high'] as referral_share_ci_high,
    cast(organic_customers as bigint) as organic_customers,  -- neither referred nor paid for
    cast(organic_customers as double) / customers as organic_share,  -- 0 to 1
    wilson_interval(organic_customers, customers, 0.95)['low'] as organic_share_ci_low,
    wilson_interval(organic_customers, customers, 0.95)['high'] as organic_share_ci_high,
    case
        when ltv_90d_status = 'ok' then cast(revenue_90d as double) / customers
    end as ltv_90d,  -- money per customer, 90 days from each one's first purchase
    case
        when ltv_365d_status = 'ok' then cast(revenue_365d as double) / customers
    end as ltv_365d,  -- money per customer
    predicted_ltv,  -- money per customer, so far and over the horizon
    predicted_ltv / paid_cac as ltv_to_cac,  -- ratio
    cast(months_to_payback as int) as months_to_payback  -- calendar months; 0 is acquisition_month

from judged
