-- int_customer_values: past and expected value of each customer, before ranking.
-- grain: customer_id
-- inputs: customer_metrics, int_selected_fits
-- params: $discount_rate_annual, $fit_by, $horizon_days
-- source: references in int_model_fits and int_spend_fits; without a usable model of purchases the
--     seed formula (past rate times past spend, undiscounted), without one of spend the average
with

customers as (

    select
        *,
        nullif(cast($fit_by as varchar), '(all)') as fit_by_value
    from customer_metrics

),

-- the small side of a join stands on the left: that side is held in memory
keyed as (

    select
        customers.*,
        coalesce(int_selected_fits.fit_group, '(all)') as fitted_group
    from int_selected_fits
    right join customers
        on int_selected_fits.fit_group = customers.fit_by_value

),

fitted as (

    select
        keyed.*,
        int_selected_fits.model,
        int_selected_fits.fit,
        int_selected_fits.spend_fit
    from int_selected_fits
    inner join keyed
        on int_selected_fits.fit_group = keyed.fitted_group

),

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
    from fitted

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
    historical_profit + expected_revenue * margin_rate as lifetime_profit  -- money

from expected
