-- int_expectation_gaps: how far each customer's experience was from what had been expected.
-- grain: customer_id
-- inputs: int_feedback
-- params: none
-- source: performance less expectation of each aspect that has answers to both, averaged over
--     aspects; Parasuraman, Zeithaml and Berry (1988), Journal of Retailing 64(1): SERVQUAL's P - E
with

aspects as (

    select
        customer_id,
        aspect,
        cast(
            sum(cast(unit_value as decimal(13, 12))) filter (where question = 'performance')
            as double
        ) / nullif(count(*) filter (where question = 'performance'), 0) as performance,
        cast(
            sum(cast(unit_value as decimal(13, 12))) filter (where question = 'expectation')
            as double
        ) / nullif(count(*) filter (where question = 'expectation'), 0) as expectation
    from int_feedback
    where
        is_valid
        and customer_id is not null
        and source = 'survey_answers'
        and question in ('expectation', 'performance')
    group by customer_id, aspect

)

select
    ---------- ids
    customer_id,

    ---------- numerics
    cast(sum(cast(performance - expectation as decimal(13, 12))) as double)
        / count(*) as expectation_gap,  -- -1 to 1, positive is better than expected
    count(*) as expectation_aspects

from aspects
where performance - expectation is not null
group by customer_id
