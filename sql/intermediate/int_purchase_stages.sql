-- int_purchase_stages: where each customer stands, measured by the customer's own rhythm.
-- grain: customer_id
-- inputs: customer_metrics, int_loyalty_values
-- params: $at_risk_gaps, $gap_prior_purchases, $lapsed_gaps, $new_customer_days
-- source: purchase_recency of int_loyalty_values against thresholds; a customer has returned when
--     the gap before the last purchase would have made a lapsed one, by the gaps before it
with

judged as (

    select
        customer_metrics.customer_id,
        customer_metrics.repeat_purchases,
        customer_metrics.recency_days,
        customer_metrics.age_days,
        int_loyalty_values.purchase_recency,
        int_loyalty_values.last_gap,
        (
            customer_metrics.recency_days - int_loyalty_values.last_gap
            + $gap_prior_purchases * int_loyalty_values.mean_gap
        ) / nullif(customer_metrics.repeat_purchases - 1 + $gap_prior_purchases, 0)
            as earlier_expected_gap
    from customer_metrics
    inner join int_loyalty_values
        on customer_metrics.customer_id = int_loyalty_values.customer_id

)

select
    ---------- ids
    customer_id,

    ---------- text
    case
        when purchase_recency > $lapsed_gaps then 'lapsed'
        when purchase_recency > $at_risk_gaps then 'at_risk'
        when age_days <= $new_customer_days then 'new'
        when purchase_recency is null then 'unknown'
        when repeat_purchases > 0 and last_gap > $lapsed_gaps * earlier_expected_gap
            then 'returned'
        else 'active'
    end as purchase_stage  -- in segment_labels
from judged
