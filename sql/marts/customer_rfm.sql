-- customer_rfm: recency, frequency and value scores of every customer, and the segment they make.
-- grain: customer_id
-- inputs: customer_metrics, score_cuts
-- params: none
-- source: Hughes (1994), Strategic Database Marketing
with

scored as (

    -- bins ascend with the value: of recency, where few days are best, they are turned around
    select
        *,
        2 + cast(
            array_length((select cuts from score_cuts where score = 'rfm_recency')) as bigint
        ) - score_bin(
            days_since_last_purchase, (select cuts from score_cuts where score = 'rfm_recency')
        ) as r_score,
        score_bin(
            purchase_days, (select cuts from score_cuts where score = 'rfm_frequency')
        ) as f_score,
        score_bin(
            net_revenue, (select cuts from score_cuts where score = 'rfm_monetary')
        ) as m_score
    from customer_metrics

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(rfm_segment(r_score, f_score, m_score) as varchar) as rfm_segment,

    ---------- numerics
    cast(days_since_last_purchase as bigint) as days_since_last_purchase,  -- days
    cast(purchase_days as bigint) as purchase_days,  -- days with a valid order
    cast(net_revenue as decimal(18, 4)) as net_revenue,  -- money
    cast(r_score as int) as r_score,  -- 1 to 5, 5 is best
    cast(f_score as int) as f_score,  -- 1 to 5, 5 is best
    cast(m_score as int) as m_score  -- 1 to 5, 5 is best

from scored
