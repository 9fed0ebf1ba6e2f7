-- int_customer_values: past and expected value of each customer, before ranking.
-- grain: customer_id
-- inputs: int_fitted_customers
-- params: $discount_rate_annual, $horizon_days
-- kept: yes
-- source: references in int_model_fits and int_spend_fits; without a usable model of purchases the
--     seed formula (past rate times past spend, undiscounted), without one of spend the average
with

expectations as (

    select
        * exclude (fit, spend_fit),
        btyd_p_alive(fit, repeat_purchases, recency_days, age_days) as p_alive,
        btyd_purchase_probability(
            fit, repeat_purchases, recency_days, age_days, $horizon_days, 0
        ) as churn_probability,
        btyd_next_purchase_quantile(
            fit, repeat_purchases, recency_days, age_days, 0.5
        ) as next_purchase_days,
        btyd_expected_purchases(
            fit, repeat_purchases, recency_days, age_days, $horizon_days
        ) as model_purchases,
        btyd_discounted_purchases(
            fit, repeat_purchases, recency_days, age_days,
            $horizon_days, 1 / discount_factor($discount_rate_annual, 1) - 1
        ) as discounted_purchases,
        gamma_gamma_expected_spend(
            spend_fit, repeat_purchases, coalesce(mean_repeat_value, 0)
        ) as model_spend,
        btyd_value_quantile(
            fit, spend_fit, repeat_purchases, recency_days, age_days,
            coalesce(mean_repeat_value, 0), $horizon_days, 0.1
        ) as revenue_p10,
        btyd_value_quantile(
            fit, spend_fit, repeat_purchases, recency_days, age_days,
            coalesce(mean_repeat_value, 0), $horizon_days, 0.9
        ) as revenue_p90,
        cast(net_revenue as double) / purchase_days as average_spend,
        purchases_per_year * $horizon_days / 365.25 as seed_purchases
    from int_fitted_customers

),

expected as (

    select
        *,
        case
            when discounted_purchases is null then 'no_model'
            when model_spend is null then 'no_spend_model'
            else 'ok'
        end as ltv_status,
        case
            when discounted_purchases is null then average_spend
            else coalesce(model_spend, average_spend)
        end as expected_spend,
        case
            when discounted_purchases is null
                then ltv_simple($horizon_days / 365.25, average_spend, purchases_per_year)
            else discounted_purchases * coalesce(model_spend, average_spend)
        end as expected_revenue,
        coalesce(
            cast(gross_profit as double), cast(net_revenue as double) * margin_rate
        ) as historical_profit
    from expectations

)

select
    ---------- ids
    customer_id,

    ---------- text
    case when ltv_status = 'no_model' then 'seed_formula' else model end as model,
    case when ltv_status = 'ok' then 'gamma_gamma' else 'average' end as spend_model,
    ltv_status,
    acquisition_channel,

    ---------- numerics
    purchase_days,  -- days with a valid order
    recency_days,  -- days, first to last purchase
    age_days,  -- days, first purchase to as_of_date
    net_revenue as historical_revenue,  -- money
    cast(historical_profit as decimal(18, 4)) as historical_profit,  -- money
    p_alive,  -- probability
    coalesce(model_purchases, seed_purchases) as expected_purchases,  -- within the horizon
    expected_spend,  -- money per purchase
    expected_revenue,  -- money within the horizon, discounted
    revenue_p10,  -- money within the horizon, not discounted
    revenue_p90,
    churn_probability,  -- probability of no purchase within the horizon
    next_purchase_days,  -- from $as_of_date on; NULL when the chance stays below one half
    expected_revenue * margin_rate as expected_profit,  -- money
    cast(net_revenue as double) + expected_revenue as lifetime_value,  -- money
    historical_profit + expected_revenue * margin_rate as lifetime_profit,  -- money

    ---------- dates
    first_purchase_on

from expected
