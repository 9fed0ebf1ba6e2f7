-- customer_ltv: what each customer was worth, and is expected to be worth over the horizon.
-- grain: customer_id
-- inputs: customer_referrals, int_acquisition_costs, int_customer_values, score_cuts
-- params: $as_of_date
-- source: references in int_model_fits and int_spend_fits; the horizon is horizon_days; quantiles
--     and probabilities are NULL without a model, ltv_status says so
with

ranked as (

    -- bins ascend with value, deciles descend
    select
        int_customer_values.*,
        2 + cast(
            array_length((select cuts from score_cuts where score = 'ltv_decile')) as bigint
        ) - score_bin(
            lifetime_value, (select cuts from score_cuts where score = 'ltv_decile')
        ) as ltv_decile
    from int_customer_values

),

-- the small side of a join stands on the left: that side is held in memory
acquired as (

    select
        ranked.*,
        int_acquisition_costs.acquisition_cost,
        int_acquisition_costs.acquisition_cost_status
    from int_acquisition_costs
    inner join ranked
        on int_acquisition_costs.channel = coalesce(ranked.acquisition_channel, 'unknown')
        and int_acquisition_costs.acquisition_month
            = cast(date_trunc('month', ranked.first_purchase_on) as date)

),

worth as (

    select
        acquired.*,
        customer_referrals.referral_status,
        customer_referrals.referral_value
    from customer_referrals
    inner join acquired
        on customer_referrals.customer_id = acquired.customer_id

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(model as varchar) as model,  -- of purchases
    cast(spend_model as varchar) as spend_model,
    cast(ltv_status as varchar) as ltv_status,  -- ok, no_spend_model, no_model
    cast(
        acquisition_cost_status as varchar
    ) as acquisition_cost_status,  -- ok, unknown_channel, missing_input
    cast(
        referral_status as varchar
    ) as referral_status,  -- ok, without_acquisition_cost, missing_input

    ---------- numerics
    cast(historical_revenue as decimal(18, 4)) as historical_revenue,  -- money
    cast(historical_profit as decimal(18, 4)) as historical_profit,  -- money
    cast(p_alive as double) as p_alive,  -- probability
    cast(expected_purchases as double) as expected_purchases,  -- purchases within the horizon
    cast(expected_spend as double) as expected_spend,  -- money per purchase
    cast(expected_revenue as double) as expected_revenue,  -- money, discounted
    cast(expected_profit as double) as expected_profit,  -- money, discounted
    cast(revenue_p10 as double) as expected_revenue_p10,  -- money, not discounted
    cast(revenue_p90 as double) as expected_revenue_p90,  -- money, not discounted
    cast(lifetime_value as double) as lifetime_value,  -- money, historical and expected
    cast(lifetime_profit as double) as lifetime_profit,  -- money, historical and expected
    cast(ltv_decile as int) as ltv_decile,  -- 1 is the highest value
    cast(churn_probability as double) as churn_probability,  -- no purchase in the horizon
    cast(acquisition_cost as double) as acquisition_cost,  -- money, 0: a channel without spend
    cast(lifetime_value - acquisition_cost as double) as net_ltv,  -- money
    cast(referral_value as double) as referral_value,  -- money, as in customer_referrals
    cast(lifetime_value + referral_value as double) as engagement_value,  -- money

    ---------- dates
    -- as likely before as after; NULL: rather never, or after 2200
    case
        when next_purchase_days < cast(date '2200-12-31' - $as_of_date as double)
            then $as_of_date + cast(ceil(next_purchase_days) as bigint)
    end as next_purchase_on_p50

from worth
