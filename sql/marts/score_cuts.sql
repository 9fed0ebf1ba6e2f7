-- score_cuts: the cut points between the bins of every score that ranks customers.
-- grain: score
-- inputs: customer_metrics, int_customer_values, int_loyalty_values
-- params: none
-- source: quantiles of all customers who have the value; fifths for RFM, tenths for value,
--     hundredths for loyalty
with

cuts_of_scores as (

    select 'rfm_recency' as score, quantile_cuts(days_since_last_purchase, 5) as cuts
    from customer_metrics

    union all

    select 'rfm_frequency' as score, quantile_cuts(purchase_days, 5) as cuts
    from customer_metrics

    union all

    select 'rfm_monetary' as score, quantile_cuts(net_revenue, 5) as cuts
    from customer_metrics

    union all

    select 'ltv_decile' as score, quantile_cuts(lifetime_value, 10) as cuts
    from int_customer_values

    union all

    select 'purchase_frequency' as score, quantile_cuts(purchase_frequency, 100) as cuts
    from int_loyalty_values

    union all

    select 'purchase_recency' as score, quantile_cuts(purchase_recency, 100) as cuts
    from int_loyalty_values

    union all

    select 'average_order_value' as score, quantile_cuts(average_order_value, 100) as cuts
    from int_loyalty_values

    union all

    select 'tenure' as score, quantile_cuts(tenure, 100) as cuts
    from int_loyalty_values

    union all

    select 'advocacy' as score, quantile_cuts(advocacy, 100) as cuts
    from int_loyalty_values

    union all

    select 'social_activity' as score, quantile_cuts(social_activity, 100) as cuts
    from int_loyalty_values

    union all

    select 'support_friction' as score, quantile_cuts(support_friction, 100) as cuts
    from int_loyalty_values

)

select
    ---------- ids
    cast(score as varchar) as score,

    ---------- numerics
    cuts  -- ascending, in the unit of the value; NULL when no customer has it

from cuts_of_scores
