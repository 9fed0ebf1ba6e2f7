-- int_segment_members: the members of every segment, and what they are worth.
-- grain: customer_id, scheme
-- inputs: customer_segments, int_customer_values, loyalty_scores
-- params: $ended_below
-- source: a customer has ended, at the last purchase, when p_alive is below $ended_below
with

-- the small side of a join stands on the left: that side is held in memory
scored as (

    select
        int_customer_values.customer_id,
        int_customer_values.purchase_days,
        int_customer_values.lifetime_value,
        int_customer_values.historical_profit,
        int_customer_values.p_alive < $ended_below as is_ended,
        case
            when int_customer_values.p_alive < $ended_below
                then int_customer_values.recency_days
            else int_customer_values.age_days
        end as duration_days,
        loyalty_scores.loyalty_score,
        loyalty_scores.satisfaction_score,
        loyalty_scores.behavioral_score
    from loyalty_scores
    inner join int_customer_values
        on loyalty_scores.customer_id = int_customer_values.customer_id

)

select
    ---------- ids
    customer_segments.customer_id,

    ---------- text
    customer_segments.scheme,
    customer_segments.segment,

    ---------- numerics
    scored.purchase_days,  -- days with a valid order
    scored.lifetime_value,  -- money
    scored.historical_profit,  -- money; NULL is unknown
    scored.duration_days,  -- days that the customer was observed as one
    scored.loyalty_score,  -- points
    scored.satisfaction_score,  -- points
    scored.behavioral_score,  -- points

    ---------- booleans
    scored.is_ended  -- NULL without a model

from scored
inner join customer_segments
    on scored.customer_id = customer_segments.customer_id
