-- int_loyalty_components: the components of each customer's loyalty, and their weighted scores.
-- grain: customer_id
-- inputs: int_loyalty_units
-- params: $weight_advocacy, $weight_average_order_value, $weight_purchase_frequency,
--     $weight_purchase_recency, $weight_recommendation, $weight_regularity, $weight_satisfaction,
--     $weight_social_activity, $weight_support_friction, $weight_tenure
-- source: unit values in int_loyalty_units; weights are re-scaled over the components that are
--     present; attitude rests on stated answers alone, each as heavy as the other
with

-- a component that is missing has neither weight nor points; all sums are in the same order, so
-- that rounding lifts no points above their weight and no weight above its total
parts as (

    select
        *,
        $weight_purchase_frequency
            + $weight_purchase_recency
            + $weight_average_order_value
            + $weight_tenure
            + $weight_regularity as behavioral_total,
        nvl2(purchase_frequency_unit, $weight_purchase_frequency, 0)
            + nvl2(purchase_recency_unit, $weight_purchase_recency, 0)
            + nvl2(average_order_value_unit, $weight_average_order_value, 0)
            + nvl2(tenure_unit, $weight_tenure, 0)
            + nvl2(regularity, $weight_regularity, 0) as behavioral_weight,
        coalesce($weight_purchase_frequency * purchase_frequency_unit, 0)
            + coalesce($weight_purchase_recency * purchase_recency_unit, 0)
            + coalesce($weight_average_order_value * average_order_value_unit, 0)
            + coalesce($weight_tenure * tenure_unit, 0)
            + coalesce($weight_regularity * regularity, 0) as behavioral_points,
        nvl2(recommendation, 1.0, 0)
            + nvl2(trust, 1.0, 0)
            + nvl2(preference, 1.0, 0)
            + nvl2(repurchase, 1.0, 0) as attitudinal_weight,
        coalesce(recommendation, 0)
            + coalesce(trust, 0)
            + coalesce(preference, 0)
            + coalesce(repurchase, 0) as attitudinal_points,
        nvl2(satisfaction, $weight_satisfaction, 0) as satisfaction_weight,
        $weight_advocacy + $weight_social_activity as advocacy_total,
        nvl2(advocacy_unit, $weight_advocacy, 0)
            + nvl2(social_activity_unit, $weight_social_activity, 0) as advocacy_weight,
        coalesce($weight_advocacy * advocacy_unit, 0)
            + coalesce($weight_social_activity * social_activity_unit, 0) as advocacy_points
    from int_loyalty_units

),

sums as (

    select
        *,
        behavioral_total
            + $weight_recommendation
            + $weight_satisfaction
            + $weight_advocacy
            + $weight_social_activity
            + $weight_support_friction as loyalty_total,
        behavioral_weight
            + nvl2(recommendation, $weight_recommendation, 0)
            + satisfaction_weight
            + nvl2(advocacy_unit, $weight_advocacy, 0)
            + nvl2(social_activity_unit, $weight_social_activity, 0)
            + nvl2(support_friction_unit, $weight_support_friction, 0) as loyalty_weight,
        behavioral_points
            + coalesce($weight_recommendation * recommendation, 0)
            + coalesce($weight_satisfaction * satisfaction, 0)
            + coalesce($weight_advocacy * advocacy_unit, 0)
            + coalesce($weight_social_activity * social_activity_unit, 0)
            + coalesce($weight_support_friction * support_friction_unit, 0) as loyalty_points
    from parts

)

select
    ---------- ids
    customer_id,

    ---------- numerics
    purchase_frequency,
    purchase_frequency_unit,
    purchase_recency,
    purchase_recency_unit,
    average_order_value,
    average_order_value_unit,
    tenure,
    tenure_unit,
    regularity,
    recommendation,
    satisfaction,
    advocacy,
    advocacy_unit,
    social_activity,
    social_activity_unit,
    support_friction,
    support_friction_unit,
    loyalty_weight,  -- of the components that are present
    -- coverages: shares of the weight that are present; scores: points, 0 to 100
    coalesce(loyalty_weight / nullif(loyalty_total, 0), 0) as loyalty_coverage,
    100 * (loyalty_points / nullif(loyalty_weight, 0)) as loyalty_score,
    coalesce(behavioral_weight / nullif(behavioral_total, 0), 0) as behavioral_coverage,
    100 * (behavioral_points / nullif(behavioral_weight, 0)) as behavioral_score,
    attitudinal_weight / 4 as attitudinal_coverage,
    100 * (attitudinal_points / nullif(attitudinal_weight, 0)) as attitudinal_score,
    coalesce(satisfaction_weight / nullif($weight_satisfaction, 0), 0) as satisfaction_coverage,
    case when $weight_satisfaction > 0 then 100 * satisfaction end as satisfaction_score,
    coalesce(advocacy_weight / nullif(advocacy_total, 0), 0) as advocacy_coverage,
    100 * (advocacy_points / nullif(advocacy_weight, 0)) as advocacy_score

from sums
