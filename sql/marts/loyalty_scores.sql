-- loyalty_scores: how loyal each customer is, from 0 to 100, and of which kind.
-- grain: customer_id
-- inputs: int_loyalty_components
-- params: $gold_cut, $high_cut, $min_coverage, $platinum_cut, $silver_cut
-- source: loyalty_type: Dick and Basu (1994), Journal of the Academy of Marketing Science 22(2);
--     satisfaction_quadrant: Jones and Sasser (1995), Harvard Business Review 73(6)
with

scores as (

    -- a score that rests on too little of its weight is no score
    select
        customer_id,
        loyalty['coverage'] as coverage,
        case when loyalty['coverage'] >= $min_coverage then loyalty['score'] end as loyalty_score,
        case
            when behavioral['coverage'] >= $min_coverage then behavioral['score']
        end as behavioral_score,
        cast(null as double) as attitudinal_score,
        case
            when advocacy['coverage'] >= $min_coverage then advocacy['score']
        end as advocacy_score,
        case
            when satisfaction['coverage'] >= $min_coverage then satisfaction['score']
        end as satisfaction_score
    from int_loyalty_components

)

select
    ---------- ids
    customer_id,

    ---------- text
    cast(
        loyalty_type(behavioral_score, attitudinal_score, $high_cut, $high_cut) as varchar
    ) as loyalty_type,
    cast(
        satisfaction_loyalty_quadrant(
            satisfaction_score, behavioral_score, $high_cut, $high_cut
        ) as varchar
    ) as satisfaction_quadrant,
    cast(
        case
            when loyalty_score is null then 'unscored'
            when loyalty_score >= $platinum_cut then 'platinum'
            when loyalty_score >= $gold_cut then 'gold'
            when loyalty_score >= $silver_cut then 'silver'
            else 'bronze'
        end as varchar
    ) as loyalty_tier,
    cast(
        case when loyalty_score is null then 'insufficient_coverage' else 'ok' end as varchar
    ) as score_status,

    ---------- numerics
    cast(loyalty_score as double) as loyalty_score,  -- points, 0 to 100
    cast(coverage as double) as coverage,  -- share of the weight that is present
    cast(behavioral_score as double) as behavioral_score,  -- points, 0 to 100
    cast(attitudinal_score as double) as attitudinal_score,  -- points, 0 to 100
    cast(advocacy_score as double) as advocacy_score,  -- points, 0 to 100
    cast(satisfaction_score as double) as satisfaction_score,  -- points, 0 to 100
    cast(null as double) as score_change  -- points since an earlier run

from scores
