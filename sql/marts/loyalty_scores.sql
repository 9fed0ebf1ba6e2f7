-- loyalty_scores: how loyal each customer is, from 0 to 100, and of which kind.
-- grain: customer_id
-- inputs: int_loyalty_components, published.previous_scores, run.supplied
-- params: $gold_cut, $high_cut, $min_coverage, $platinum_cut, $silver_cut
-- source: loyalty_type: Dick and Basu (1994), Journal of the Academy of Marketing Science 22(2);
--     satisfaction_quadrant: Jones and Sasser (1995), Harvard Business Review 73(6)
with

-- the small side of a join stands on the left: that side is held in memory
with_previous as (

    select
        int_loyalty_components.*,
        previous_scores.loyalty_score as previous_score,
        previous_scores.customer_id is not null as was_customer,
        (select max(as_of_date) from published.previous_scores) as previous_as_of_date
    from published.previous_scores as previous_scores
    right join int_loyalty_components
        on previous_scores.customer_id = int_loyalty_components.customer_id

),

scores as (

    -- a score that rests on too little of its weight is no score; rounded, as below
    select
        customer_id,
        previous_score,
        was_customer,
        previous_as_of_date,
        loyalty_coverage as coverage,
        case when round(loyalty_coverage, 9) >= $min_coverage then loyalty_score end
            as loyalty_score,
        case when round(behavioral_coverage, 9) >= $min_coverage then behavioral_score end
            as behavioral_score,
        case when round(attitudinal_coverage, 9) >= $min_coverage then attitudinal_score end
            as attitudinal_score,
        case when round(advocacy_coverage, 9) >= $min_coverage then advocacy_score end
            as advocacy_score,
        case when round(satisfaction_coverage, 9) >= $min_coverage then satisfaction_score end
            as satisfaction_score,
        (select survey_answers from run.supplied) as has_answers,
        (select survey_answers or reviews from run.supplied) as has_satisfaction
    from with_previous

)

select
    ---------- ids
    customer_id,

    ---------- text; rounded, so that a score at a cut is not below it by its last bit
    cast(
        loyalty_type(
            round(behavioral_score, 9), round(attitudinal_score, 9), $high_cut, $high_cut
        ) as varchar
    ) as loyalty_type,
    cast(
        satisfaction_loyalty_quadrant(
            round(satisfaction_score, 9), round(behavioral_score, 9), $high_cut, $high_cut
        ) as varchar
    ) as satisfaction_quadrant,
    cast(
        case
            when loyalty_score is null then 'unscored'
            when round(loyalty_score, 9) >= $platinum_cut then 'platinum'
            when round(loyalty_score, 9) >= $gold_cut then 'gold'
            when round(loyalty_score, 9) >= $silver_cut then 'silver'
            else 'bronze'
        end as varchar
    ) as loyalty_tier,
    cast(
        case when loyalty_score is null then 'insufficient_coverage' else 'ok' end as varchar
    ) as score_status,
    cast(
        case when behavioral_score is null then 'insufficient_coverage' else 'ok' end as varchar
    ) as behavioral_status,
    cast(
        case when advocacy_score is null then 'missing_input' else 'ok' end as varchar
    ) as advocacy_status,
    cast(
        case
            when attitudinal_score is not null then 'ok'
            when has_answers then 'insufficient_coverage'
            else 'missing_input'
        end as varchar
    ) as attitudinal_status,
    cast(
        case
            when satisfaction_score is not null then 'ok'
            when has_satisfaction then 'no_answer'
            else 'missing_input'
        end as varchar
    ) as satisfaction_status,
    cast(
        case
            when loyalty_score is null or (was_customer and previous_score is null) then 'unscored'
            when previous_score is not null then 'ok'
            when previous_as_of_date is null then 'first_run'
            else 'new_customer'
        end as varchar
    ) as score_change_status,

    ---------- numerics
    cast(loyalty_score as double) as loyalty_score,  -- points, 0 to 100
    cast(coverage as double) as coverage,  -- share of the weight that is present
    cast(behavioral_score as double) as behavioral_score,  -- points, 0 to 100
    cast(attitudinal_score as double) as attitudinal_score,  -- points, 0 to 100
    cast(advocacy_score as double) as advocacy_score,  -- points, 0 to 100
    cast(satisfaction_score as double) as satisfaction_score,  -- points, 0 to 100
    loyalty_score - previous_score as score_change,  -- points since previous_as_of_date

    ---------- dates
    previous_as_of_date  -- of the newest run for an earlier date

from scores
