-- survey_answer_outcomes: every answer of a survey, and what became of it.
-- grain: answer_id, rule, copy_rank
-- inputs: excluded_customers, stg_survey_answers
-- params: $as_of_date, $time_zone
-- source: of several rows with one key the latest up to $as_of_date counts; equal ones are
--     ranked by content, so that the choice does not depend on the order of rows;
--     an answer to nps is a whole number on a scale from 0 to 10
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select answer_id
    from stg_survey_answers
    where broken_rule is null
    group by answer_id
    having count(*) > 1

),

told_apart as (

    select
        stg_survey_answers.*,
        1 as copy_rank
    from repeated_ids
    right anti join stg_survey_answers
        on repeated_ids.answer_id = stg_survey_answers.answer_id
        and stg_survey_answers.broken_rule is null

    union all by name

    select
        stg_survey_answers.*,
        row_number() over (
            partition by stg_survey_answers.answer_id
            order by
                cast(
                    try_cast(answered_at as timestamp with time zone)
                    at time zone $time_zone as date
                ) <= $as_of_date desc,
                answered_at desc,
                customer_id,
                question,
                aspect,
                value,
                scale_min,
                scale_max
        ) as copy_rank
    from repeated_ids
    right semi join stg_survey_answers
        on repeated_ids.answer_id = stg_survey_answers.answer_id
    where stg_survey_answers.broken_rule is null

),

dated as (

    select
        *,
        -- NULL for an instant that does not fit into nanoseconds, which is out of range anyway
        cast(
            try_cast(answered_at as timestamp with time zone) at time zone $time_zone as date
        ) as answered_on,
        scale_to_unit(value, scale_min, scale_max) as unit_value,
        question != 'nps' or (scale_min = 0 and scale_max = 10 and value = floor(value)) as is_whole
    from told_apart

),

judged as (

    select
        dated.*,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                dated.answered_on > $as_of_date
                and dated.broken_rule is distinct from 'answered_at_in_range'
                then 'after_as_of_date'
            when dated.broken_rule is not null then 'quarantined'
            when excluded_customers.reason is not null then excluded_customers.reason
            when dated.copy_rank > 1 then 'older_version'
            when dated.unit_value is null or not dated.is_whole then 'off_scale'
            else 'valid'
        end as outcome
    from excluded_customers
    right join dated
        on excluded_customers.customer_id = dated.customer_id

)

select
    ---------- ids
    answer_id,
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,
    question,
    aspect,

    ---------- numerics
    value,
    scale_min,
    scale_max,
    unit_value,  -- 0 to 1, 1 is best
    copy_rank,  -- 1 is the row that counts

    ---------- timestamps
    answered_at,

    ---------- dates
    answered_on  -- business date

from judged
