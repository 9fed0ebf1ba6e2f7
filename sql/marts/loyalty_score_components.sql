-- loyalty_score_components: what makes up each customer's loyalty score, ten rows per customer.
-- grain: customer_id, component
-- inputs: int_loyalty_components, run.supplied
-- params: $weight_advocacy, $weight_average_order_value, $weight_purchase_frequency,
--     $weight_purchase_recency, $weight_recommendation, $weight_regularity, $weight_satisfaction,
--     $weight_social_activity, $weight_support_friction, $weight_tenure
-- source: definition in int_loyalty_components; contributions add up to the score
with

components as (

    select
        customer_id,
        unnest(
            make_array(
                'purchase_frequency',
                'purchase_recency',
                'average_order_value',
                'tenure',
                'regularity',
                'recommendation',
                'satisfaction',
                'advocacy',
                'social_activity',
                'support_friction'
            )
        ) as name,
        unnest(
            make_array(
                purchase_frequency,
                purchase_recency,
                average_order_value,
                tenure,
                regularity,
                10 * recommendation,
                satisfaction,
                advocacy,
                social_activity,
                support_friction
            )
        ) as raw_value,
        unnest(
            make_array(
                purchase_frequency_unit,
                purchase_recency_unit,
                average_order_value_unit,
                tenure_unit,
                regularity,
                recommendation,
                satisfaction,
                advocacy_unit,
                social_activity_unit,
                support_friction_unit
            )
        ) as unit_value,
        unnest(
            make_array(
                $weight_purchase_frequency,
                $weight_purchase_recency,
                $weight_average_order_value,
                $weight_tenure,
                $weight_regularity,
                $weight_recommendation,
                $weight_satisfaction,
                $weight_advocacy,
                $weight_social_activity,
                $weight_support_friction
            )
        ) as weight,
        loyalty_weight,
        (select survey_answers from run.supplied) as has_answers,
        (select survey_answers or reviews from run.supplied) as has_satisfaction
    from int_loyalty_components

)

select
    ---------- ids
    customer_id,
    cast(name as varchar) as component,

    ---------- text
    cast(
        case
            when name in ('purchase_recency', 'support_friction') then 'lower_is_better'
            else 'higher_is_better'
        end as varchar
    ) as direction,  -- of the raw value
    cast(
        case
            when unit_value is not null then 'ok'
            when name in ('regularity', 'purchase_recency')
                then 'insufficient_history'
            when name = 'recommendation' and has_answers then 'no_answer'
            when name = 'satisfaction' and has_satisfaction then 'no_answer'
            else 'missing_input'
        end as varchar
    ) as component_status,

    ---------- numerics
    cast(raw_value as double) as raw_value,  -- in the unit of the component
    cast(unit_value as double) as unit_value,  -- 0 to 1, 1 is most loyal
    cast(weight as double) as weight,  -- relative to the other weights
    100 * weight * unit_value / nullif(loyalty_weight, 0) as contribution  -- points of the score

from components
