-- customer_segments: the segment of every customer in each scheme.
-- grain: customer_id, scheme
-- inputs: customer_ltv, customer_rfm, int_cpm_groups, int_purchase_stages, loyalty_scores,
--     segment_labels
-- params: none
-- source: definitions in the tables and relations that name the segments
with

segments as (

    select customer_id, 'rfm' as scheme, rfm_segment as segment
    from customer_rfm

    union all

    select customer_id, 'ltv_decile' as scheme, cast(ltv_decile as varchar) as segment
    from customer_ltv

    union all

    select customer_id, 'loyalty_tier' as scheme, loyalty_tier as segment
    from loyalty_scores

    union all

    select customer_id, 'purchase_stage' as scheme, purchase_stage as segment
    from int_purchase_stages

    union all

    select customer_id, 'cpm' as scheme, cpm_group as segment
    from int_cpm_groups

)

-- the small side of a join stands on the left: that side is held in memory
select
    ---------- ids
    segments.customer_id,
    cast(segments.scheme as varchar) as scheme,

    ---------- text
    cast(segments.segment as varchar) as segment,

    ---------- numerics
    segment_labels.segment_rank  -- 1 is the best

from segment_labels
right join segments
    on segment_labels.scheme = segments.scheme
    and segment_labels.segment = segments.segment
