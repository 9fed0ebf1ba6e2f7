-- int_purchase_stages: where each customer stands, measured by the customer's own rhythm.
-- grain: customer_id
-- inputs: customer_metrics, int_customer_days, int_loyalty_values
-- params: $at_risk_gaps, $gap_prior_purchases, $lapsed_gaps, $new_customer_days
-- source: purchase_recency of int_loyalty_values against thresholds; a customer has returned when
--     the gap before the last purchase would have made a lapsed one, by the gaps before it
with

-- those left without a stage may have returned
judged as (

    select
        customer_metrics.customer_id,
        customer_metrics.repeat_purchases,
        customer_metrics.recency_days,
        customer_metrics.last_purchase_on,
        int_loyalty_values.mean_gap,
        case
            when int_loyalty_values.purchase_recency > $lapsed_gaps then 'lapsed'
            when int_loyalty_values.purchase_recency > $at_risk_gaps then 'at_risk'
            when customer_metrics.age_days <= $new_customer_days then 'new'
            when int_loyalty_values.purchase_recency is null then 'unknown'
            when customer_metrics.repeat_purchases = 0 then 'active'
        end as purchase_stage
    from customer_metrics
    inner join int_loyalty_values
        on customer_metrics.customer_id = int_loyalty_values.customer_id

),

-- the small side of a join stands on the left: that side is held in memory
last_gaps as (

    select
        judged.customer_id,
        judged.repeat_purchases,
        judged.recency_days,
        judged.mean_gap,
        judged.last_purchase_on - max(int_customer_days.purchased_on) as last_gap
    from judged
    inner join int_customer_days
        on judged.customer_id = int_customer_days.customer_id
        and judged.last_purchase_on > int_customer_days.purchased_on
    where
        judged.purchase_stage is null
        and int_customer_days.outcome = 'valid'
    group by
        judged.customer_id,
        judged.repeat_purchases,
        judged.recency_days,
        judged.mean_gap,
        judged.last_purchase_on

),

stages as (

    select
        customer_id,
        purchase_stage
    from judged
    where purchase_stage is not null

    union all

    select
        customer_id,
        case
            when
                last_gap > $lapsed_gaps * (
                    recency_days - last_gap + $gap_prior_purchases * mean_gap
                ) / nullif(repeat_purchases - 1 + $gap_prior_purchases, 0)
                then 'returned'
            else 'active'
        end as purchase_stage
    from last_gaps

)

select
    ---------- ids
    customer_id,

    ---------- text
    purchase_stage  -- in segment_labels

from stages
