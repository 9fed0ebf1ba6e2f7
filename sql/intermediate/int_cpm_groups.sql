-- int_cpm_groups: the customer-portfolio group of each customer, by tenure, spend and silence.
-- grain: customer_id
-- inputs: customer_metrics
-- params: $cpm_prime_days, $cpm_silence_days, $cpm_spend, $cpm_steady_days
-- source: customer portfolio management as Japanese mail order shops use it: five groups by days
--     from the first to the last purchase and by revenue, each current or lapsed
with

groups as (

    select
        customer_id,
        case
            when purchase_days = 1 then 'first_time'
            when recency_days < $cpm_steady_days then 'toddling'
            when net_revenue <= $cpm_spend then 'steady'
            when recency_days < $cpm_prime_days then 'trendy'
            else 'prime'
        end as cpm_stage,
        case
            when days_since_last_purchase >= $cpm_silence_days then 'lapsed'
            else 'current'
        end as cpm_state
    from customer_metrics

)

select
    ---------- ids
    customer_id,

    ---------- text
    concat(cpm_stage, '_', cpm_state) as cpm_group  -- in segment_labels

from groups
