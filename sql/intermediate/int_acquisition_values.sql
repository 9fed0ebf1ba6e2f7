-- int_acquisition_values: what the customers acquired in a month through a channel brought so far.
-- grain: acquisition_month, channel
-- inputs: int_acquisition_costs, int_cohort_months
-- params: none
-- source: acquisition has paid back when the cumulative profit is no less than what was spent on
--     it; revenue, when the margin_rate of a customer is not known
with

-- windows over few rows: months, channels and ages
cumulated as (

    select
        *,
        sum(revenue) over (
            partition by acquisition_month, channel
            order by age_months
            rows between unbounded preceding and current row
        ) as cumulative_revenue,
        sum(profit) over (
            partition by acquisition_month, channel
            order by age_months
            rows between unbounded preceding and current row
        ) as cumulative_profit,
        bool_and(margin_customers = active_customers) over (
            partition by acquisition_month, channel
        ) as has_margins
    from int_cohort_months

),

compared as (

    select
        cumulated.*,
        case
            when int_acquisition_costs.cac_status != 'ok' then false
            when cumulated.has_margins
                then cumulated.cumulative_profit >= int_acquisition_costs.spend
            else cumulated.cumulative_revenue >= int_acquisition_costs.spend
        end as is_paid_back
    from int_acquisition_costs
    inner join cumulated
        on int_acquisition_costs.acquisition_month = cumulated.acquisition_month
        and int_acquisition_costs.channel = cumulated.channel

)

select
    ---------- text
    channel,
    case when bool_and(has_margins) then 'profit' else 'revenue' end as payback_basis,

    ---------- numerics
    sum(revenue_90d) as revenue_90d,  -- money, up to 90 days after the first purchases
    sum(revenue_365d) as revenue_365d,
    -- calendar months, 0 is that of acquisition; NULL: not yet, or nothing to pay back
    min(age_months) filter (where is_paid_back) as months_to_payback,

    ---------- dates
    acquisition_month  -- its first day

from compared
group by acquisition_month, channel
