-- segment_ltv: what the customers of each segment are worth, and for how long they stay.
-- grain: scheme, segment
-- inputs: int_segment_members, run.supplied
-- params: $lifespan_horizon_years, $min_exposure_days
-- source: lifespan: restricted mean of the Kaplan-Meier curve, Kaplan and Meier (1958), Journal of
--     the American Statistical Association 53; ltv_simple: lifespan times yearly profit
with

totals as (

    -- sums of decimals and integers: they do not depend on the order of rows
    select
        scheme,
        segment,
        count(*) as customers,
        sum(cast(lifetime_value as decimal(28, 4))) as total_ltv,
        quantile_cuts(lifetime_value, 10) as ltv_cuts,
        gini(lifetime_value) as gini,
        kaplan_meier(duration_days, is_ended) as curve,
        cast(max(duration_days) as double) as last_observed_days,
        sum(historical_profit) as total_profit,
        sum(purchase_days) as purchase_days,
        sum(purchase_days) filter (where historical_profit is not null) as profit_purchase_days,
        sum(greatest(duration_days + 1, $min_exposure_days)) as exposure_days,
        sum(cast(loyalty_score as decimal(20, 12))) as total_loyalty_score,
        count(loyalty_score) as scored_customers,
        spearman(satisfaction_score, behavioral_score) as satisfaction_loyalty_spearman,
        count(*) filter (
            where satisfaction_score is not null and behavioral_score is not null
        ) as satisfaction_customers,
        count(is_ended) as judged_customers,
        count(*) filter (where is_ended) as ended_customers
    from int_segment_members
    group by scheme, segment

),

rates as (

    select
        *,
        sum(customers) over (partition by scheme) as scheme_customers,
        sum(total_ltv) over (partition by scheme) as scheme_ltv,
        $lifespan_horizon_years * 365.25 as horizon_days,
        restricted_mean(
            curve, least($lifespan_horizon_years * 365.25, last_observed_days)
        ) / 365.25 as lifespan_years,
        cast(total_profit as double) / profit_purchase_days as profit_per_purchase,
        purchase_days * 365.25 / exposure_days as purchases_per_year
    from totals

)

select
    ---------- ids
    cast(scheme as varchar) as scheme,
    cast(segment as varchar) as segment,

    ---------- text
    cast(
        case
            when lifespan_years is null then 'no_model'
            when last_observed_days < horizon_days then 'restricted_mean_to_last_observed'
            else 'restricted_mean_to_horizon'
        end as varchar
    ) as lifespan_method,
    cast(
        case
            when satisfaction_loyalty_spearman is not null then 'ok'
            when (select survey_answers or reviews from run.supplied)
                then 'too_few'
            else 'missing_input'
        end as varchar
    ) as satisfaction_status,

    ---------- numerics
    cast(customers as bigint) as customers,
    cast(customers as double) / scheme_customers as customer_share,  -- 0 to 1
    cast(total_ltv as double) / nullif(cast(scheme_ltv as double), 0) as value_share,  -- 0 to 1
    cast(total_ltv as double) / customers as mean_ltv,  -- money per customer
    cast(ltv_cuts[5] as double) as median_ltv,  -- money
    cast(ltv_cuts[1] as double) as p10_ltv,  -- money
    cast(ltv_cuts[9] as double) as p90_ltv,  -- money
    cast(total_ltv as decimal(28, 4)) as total_ltv,  -- money
    cast(gini as double) as gini,  -- concentration, 0 is even
    cast(lifespan_years as double) as lifespan_years,  -- years
    cast(profit_per_purchase as double) as profit_per_purchase,  -- money per purchase day
    cast(purchases_per_year as double) as purchases_per_year,  -- purchase days per year
    ltv_simple(lifespan_years, profit_per_purchase, purchases_per_year) as ltv_simple,  -- money
    cast(total_loyalty_score as double) / nullif(scored_customers, 0) as mean_loyalty_score,
    cast(ended_customers as double) / nullif(judged_customers, 0) as churn_rate,  -- 0 to 1
    -- of satisfaction_score and behavioral_score, −1 to 1; NULL when either is constant
    cast(satisfaction_loyalty_spearman as double) as satisfaction_loyalty_spearman,
    cast(satisfaction_customers as bigint) as satisfaction_customers  -- who have both scores

from rates
