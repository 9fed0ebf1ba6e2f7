-- int_feedback: what customers said in surveys, in reviews and in public, in one form.
-- grain: none
-- inputs: mention_outcomes, review_outcomes, survey_answer_outcomes
-- params: none
-- source: definitions in the outcomes; answers that are off their scale are here to be counted
with

said as (

    select
        'survey_answers' as source,
        cast(answer_id as varchar) as feedback_id,
        customer_id,
        outcome,
        question,
        coalesce(aspect, '') as aspect,
        value,
        scale_min,
        scale_max,
        unit_value,
        answered_at as said_at,
        answered_on as said_on
    from survey_answer_outcomes

    union all

    select
        'reviews' as source,
        cast(review_id as varchar) as feedback_id,
        customer_id,
        outcome,
        'rating' as question,
        '' as aspect,
        rating as value,
        scale_min,
        scale_max,
        unit_value,
        reviewed_at as said_at,
        reviewed_on as said_on
    from review_outcomes

    union all

    select
        'social_mentions' as source,
        cast(mention_id as varchar) as feedback_id,
        customer_id,
        outcome,
        'sentiment' as question,
        '' as aspect,
        sentiment as value,
        -1.0 as scale_min,
        1.0 as scale_max,
        scale_to_unit(sentiment, -1.0, 1.0) as unit_value,
        mentioned_at as said_at,
        mentioned_on as said_on
    from mention_outcomes

)

select
    ---------- ids
    feedback_id,  -- the key in the source
    customer_id,  -- NULL when unknown

    ---------- text
    source,
    question,
    aspect,  -- '' is the whole

    ---------- numerics
    value,  -- on its scale; NULL is a mention without sentiment
    scale_min,
    scale_max,
    unit_value,  -- 0 to 1, 1 is best

    ---------- timestamps
    said_at,

    ---------- dates
    said_on,  -- business date

    ---------- booleans
    outcome = 'valid' as is_valid  -- or off its scale

from said
where outcome in ('valid', 'off_scale')
