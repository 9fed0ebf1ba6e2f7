-- customer_satisfaction: what each customer has said, and what support was asked for.
-- grain: customer_id
-- inputs: customer_metrics, int_customer_feedback, int_customer_tickets, int_expectation_gaps,
--     run.supplied
-- params: none
-- source: promoters answer 9 or 10, detractors 0 to 6: Reichheld (2003), Harvard Business Review
--     81(12); other definitions in the inputs; a status says why a value is NULL
with

-- the small side of a join stands on the left: that side is held in memory
joined as (

    select
        customer_metrics.customer_id,
        int_customer_feedback.* exclude (customer_id),
        int_expectation_gaps.* exclude (customer_id),
        int_customer_tickets.* exclude (customer_id)
    from int_customer_tickets
    right join (
        int_expectation_gaps
        right join (
            int_customer_feedback
            right join customer_metrics
                on int_customer_feedback.customer_id = customer_metrics.customer_id
        )
            on int_expectation_gaps.customer_id = customer_metrics.customer_id
    )
        on int_customer_tickets.customer_id = customer_metrics.customer_id

),

supplied as (

    select
        *,
        (select survey_answers from run.supplied) as has_answers,
        (select support_tickets from run.supplied) as has_tickets,
        (
            select survey_answers or reviews or social_mentions
            from run.supplied
        ) as has_feedback
    from joined

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(
        case
            when nps_answer >= 9 then 'promoter'
            when nps_answer >= 7 then 'passive'
            when nps_answer is not null then 'detractor'
        end as varchar
    ) as nps_class,
    cast(
        case
            when nps_answer is not null then 'ok'
            when has_answers then 'no_answer'
            else 'missing_input'
        end as varchar
    ) as nps_status,
    cast(
        case
            when csat_mean is not null then 'ok'
            when has_answers then 'no_answer'
            else 'missing_input'
        end as varchar
    ) as csat_status,
    cast(
        case
            when expectation_gap is not null then 'ok'
            when has_answers then 'no_answer'
            else 'missing_input'
        end as varchar
    ) as gap_status,  -- needs answers to expectation and performance of one aspect
    cast(case when has_tickets then 'ok' else 'missing_input' end as varchar) as support_status,
    cast(
        case
            when median_hours_to_resolution is not null then 'ok'
            when has_tickets then 'nothing_resolved'
            else 'missing_input'
        end as varchar
    ) as resolution_status,
    cast(
        case
            when last_feedback_on is not null then 'ok'
            when has_feedback then 'no_feedback'
            else 'missing_input'
        end as varchar
    ) as satisfaction_status,

    ---------- numerics
    cast(nps_answer as int) as nps_answer,  -- 0 to 10, the latest
    cast(recommendation_intention as double) as recommendation_intention,  -- 0 to 1, decayed
    cast(csat_mean as double) as csat_mean,  -- 0 to 1
    case when has_answers then cast(coalesce(csat_answers, 0) as bigint) end as csat_answers,
    cast(expectation_gap as double) as expectation_gap,  -- -1 to 1, positive is better
    case
        when has_answers then cast(coalesce(expectation_aspects, 0) as bigint)
    end as expectation_aspects,  -- in the gap
    case when has_tickets then cast(coalesce(complaints, 0) as bigint) end as complaints,
    case when has_tickets then cast(coalesce(questions, 0) as bigint) end as questions,
    case
        when has_tickets then cast(coalesce(unresolved_tickets, 0) as bigint)
    end as unresolved_tickets,
    cast(median_hours_to_resolution as double) as median_hours_to_resolution,  -- hours

    ---------- dates
    nps_answered_on,
    last_feedback_on

from supplied
