-- int_customer_feedback: what each customer said, summed up.
-- grain: customer_id
-- inputs: contact_outcomes
-- params: $activity_window_days, $as_of_date, $feedback_half_life_days, $feedback_window_days,
--     $positive_unit
-- source: of several answers the latest is that with the greatest instant, then the greatest key;
--     a window of N days are the last N days up to $as_of_date
with

said as (

    select
        contact_id,
        customer_id,
        value,
        unit_value,
        -- sums of decimals do not depend on the order of rows
        cast(unit_value as decimal(13, 12)) as exact_unit,
        contacted_at,
        contacted_on,
        contacted_on > $as_of_date - $feedback_window_days as is_current,
        contacted_on > $as_of_date - $activity_window_days as is_recent,
        source = 'survey_answers' and topic = 'nps' as is_nps,
        source = 'survey_answers' and topic = 'csat' as is_csat,
        source = 'survey_answers' and topic = 'trust' as is_trust,
        source = 'survey_answers' and topic = 'preference' as is_preference,
        source = 'survey_answers' and topic = 'repurchase' as is_repurchase,
        source = 'reviews' as is_review,
        source = 'social_mentions' as is_mention
    from contact_outcomes
    where
        outcome = 'valid'
        and source != 'support_tickets'
        and customer_id is not null

)

select
    ---------- ids
    customer_id,

    ---------- numerics
    last_value(value order by contacted_at, contact_id)
        filter (where is_nps) as nps_answer,  -- 0 to 10
    last_value(unit_value order by contacted_at, contact_id)
        filter (where is_nps and is_current) as recommendation,
    last_value(unit_value order by contacted_at, contact_id)
        filter (where is_trust and is_current) as trust,
    last_value(unit_value order by contacted_at, contact_id)
        filter (where is_preference and is_current) as preference,
    last_value(unit_value order by contacted_at, contact_id)
        filter (where is_repurchase and is_current) as repurchase,
    decayed_mean(unit_value, contacted_on, $as_of_date, $feedback_half_life_days)
        filter (where is_nps) as recommendation_intention,
    decayed_mean(unit_value, contacted_on, $as_of_date, $feedback_half_life_days)
        filter (where is_csat or is_review) as satisfaction,
    count(*) filter (where is_csat) as csat_answers,
    cast(sum(exact_unit) filter (where is_csat) as double)
        / nullif(count(*) filter (where is_csat), 0) as csat_mean,
    count(*) filter (
        where is_review and is_recent and unit_value >= $positive_unit
    ) as positive_reviews,
    count(*) filter (where is_mention and is_recent) as mentions,

    ---------- dates
    max(contacted_on) filter (where is_nps) as nps_answered_on,
    max(contacted_on) as last_feedback_on

from said
group by customer_id
