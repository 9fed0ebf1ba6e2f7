-- feedback_summary: what customers said in each month, by source, with 95 % intervals.
-- grain: feedback_month, source
-- inputs: contact_outcomes
-- params: $min_group_size, $positive_unit
-- source: NPS: Reichheld (2003), Harvard Business Review 81(12); shares: Wilson (1927); mean:
--     Student's t; a figure about fewer than $min_group_size answers is suppressed
with

answers as (

    select
        *,
        date_trunc('month', contacted_on) as feedback_month,
        outcome = 'valid' as is_valid,
        case
            when source = 'reviews' then unit_value >= $positive_unit
            when source = 'social_mentions' then value > 0
        end as is_positive
    from contact_outcomes
    where
        source != 'support_tickets'
        and outcome in ('valid', 'off_scale')

),

summed as (

    select
        feedback_month,
        source,
        count(*) filter (where is_valid) as responses,
        count(*) filter (where not is_valid) as invalid_answers,
        nps(value) filter (where is_valid and topic = 'nps') as nps,
        csat(value, scale_min, scale_max) filter (where is_valid and topic = 'csat') as csat,
        mean_interval(unit_value, 0.95) filter (
            where is_valid and source = 'reviews'
        ) as rating,
        count(*) filter (where is_valid and is_positive) as positive_responses,
        count(*) filter (where is_valid and is_positive is not null) as judged_responses
    from answers
    group by feedback_month, source

),

counted as (

    select
        *,
        coalesce(nps['responses'], 0) as nps_responses,
        coalesce(csat['responses'], 0) as csat_responses,
        coalesce(rating['responses'], 0) as ratings,
        wilson_interval(positive_responses, judged_responses, 0.95) as positive
    from summed

),

judged as (

    select
        *,
        case
            when nps_responses = 0 then 'no_answers'
            when nps_responses < $min_group_size then 'suppressed'
            else 'ok'
        end as nps_status,
        case
            when csat_responses = 0 then 'no_answers'
            when csat_responses < $min_group_size then 'suppressed'
            else 'ok'
        end as csat_status,
        case
            when ratings = 0 then 'no_answers'
            when ratings < $min_group_size then 'suppressed'
            else 'ok'
        end as rating_status,
        case
            when judged_responses = 0 then 'no_answers'
            when judged_responses < $min_group_size then 'suppressed'
            else 'ok'
        end as positive_status
    from counted

)

select
    ---------- ids
    cast(feedback_month as date) as feedback_month,  -- its first day
    cast(source as varchar) as source,

    ---------- text
    cast(nps_status as varchar) as nps_status,
    cast(csat_status as varchar) as csat_status,
    cast(rating_status as varchar) as rating_status,
    cast(positive_status as varchar) as positive_status,

    ---------- numerics
    cast(responses as bigint) as responses,
    cast(invalid_answers as bigint) as invalid_answers,  -- off their scale, counted nowhere else
    cast(nps_responses as bigint) as nps_responses,
    case when nps_status = 'ok' then nps['nps'] end as nps,  -- -100 to 100
    case when nps_status = 'ok' then nps['ci_low'] end as nps_ci_low,
    case when nps_status = 'ok' then nps['ci_high'] end as nps_ci_high,
    cast(csat_responses as bigint) as csat_responses,
    case when csat_status = 'ok' then csat['top_two_box'] end as csat,  -- 0 to 1, top two boxes
    case when csat_status = 'ok' then csat['ci_low'] end as csat_ci_low,
    case when csat_status = 'ok' then csat['ci_high'] end as csat_ci_high,
    cast(ratings as bigint) as ratings,
    case when rating_status = 'ok' then rating['mean'] end as mean_rating,  -- 0 to 1
    case when rating_status = 'ok' then rating['ci_low'] end as mean_rating_ci_low,
    case when rating_status = 'ok' then rating['ci_high'] end as mean_rating_ci_high,
    cast(judged_responses as bigint) as judged_responses,  -- reviews, or mentions with a sentiment
    case when positive_status = 'ok' then positive_responses end as positive_responses,
    case
        when positive_status = 'ok' then cast(positive_responses as double) / judged_responses
    end as positive_share,  -- 0 to 1
    case when positive_status = 'ok' then positive['low'] end as positive_ci_low,
    case when positive_status = 'ok' then positive['high'] end as positive_ci_high

from judged
