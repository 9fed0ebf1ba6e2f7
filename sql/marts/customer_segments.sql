-- customer_segments: the segment of every customer in each scheme.
-- grain: customer_id, scheme
-- inputs: customer_ltv, customer_rfm, loyalty_scores
-- params: none
-- source: definitions in the tables that name the segments; rank 1 is the best
with

segments as (

    select
        customer_id,
        'rfm' as scheme,
        rfm_segment as segment,
        array_position(
            make_array(
                'champions',
                'loyal',
                'potential_loyalist',
                'new',
                'promising',
                'need_attention',
                'about_to_sleep',
                'at_risk',
                'cannot_lose',
                'hibernating',
                'lost'
            ),
            rfm_segment
        ) as segment_rank
    from customer_rfm

    union all

    select
        customer_id,
        'ltv_decile' as scheme,
        cast(ltv_decile as varchar) as segment,
        ltv_decile as segment_rank
    from customer_ltv

    union all

    select
        customer_id,
        'loyalty_tier' as scheme,
        loyalty_tier as segment,
        array_position(
            make_array('platinum', 'gold', 'silver', 'bronze', 'unscored'), loyalty_tier
        ) as segment_rank
    from loyalty_scores

)

select
    ---------- ids
    customer_id,
    cast(scheme as varchar) as scheme,

    ---------- text
    cast(segment as varchar) as segment,

    ---------- numerics
    cast(segment_rank as int) as segment_rank  -- 1 is the best

from segments
