-- int_expectation_gaps: how far each customer's experience was from what had been expected.
-- grain: customer_id
-- inputs: contact_outcomes
-- params: none
-- source: performance less expectation of each aspect that has answers to both, averaged over
--     aspects; Parasuraman, Zeithaml and Berry (1988), Journal of Retailing 64(1): SERVQUAL's P - E
with

aspects as (

    select
        customer_id,
        aspect,
        cast(
            sum(cast(unit_value as decimal(13, 12))) filter (where topic = 'performance')
            as double
        ) / nullif(count(*) filter (where topic = 'performance'), 0) as performance,
        cast(
            sum(cast(unit_value as decimal(13, 12))) filter (where topic = 'expectation')
            as double
        ) / nullif(count(*) filter (where topic = 'expectation'), 0) as expectation
    from contact_outcomes
    where
        outcome = 'valid'
        and customer_id is not null
        and source = 'survey_answers'
        and topic in ('expectation', 'performance')
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
