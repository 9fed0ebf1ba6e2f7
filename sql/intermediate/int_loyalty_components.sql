-- int_loyalty_components: the components of each customer's loyalty, and their weighted score.
-- grain: customer_id
-- inputs: int_loyalty_units
-- params: $weight_advocacy, $weight_average_order_value, $weight_purchase_frequency,
--     $weight_purchase_recency, $weight_recommendation, $weight_regularity, $weight_satisfaction,
--     $weight_social_activity, $weight_support_friction, $weight_tenure
-- source: unit values in int_loyalty_units; weights are re-scaled over the components that are
--     present; attitude rests on stated answers alone, each as heavy as the other
with

component_lists as (

    select
        customer_id,
        make_array(
            named_struct(
                'name', 'purchase_frequency',
                'raw_value', purchase_frequency,
                'value', purchase_frequency_unit,
                'weight', $weight_purchase_frequency,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'purchase_recency',
                'raw_value', purchase_recency,
                'value', purchase_recency_unit,
                'weight', $weight_purchase_recency,
                'direction', 'lower_is_better'
            ),
            named_struct(
                'name', 'average_order_value',
                'raw_value', average_order_value,
                'value', average_order_value_unit,
                'weight', $weight_average_order_value,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'tenure',
                'raw_value', tenure,
                'value', tenure_unit,
                'weight', $weight_tenure,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'regularity',
                'raw_value', regularity,
                'value', regularity,
                'weight', $weight_regularity,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'recommendation',
                'raw_value', 10 * recommendation,
                'value', recommendation,
                'weight', $weight_recommendation,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'satisfaction',
                'raw_value', satisfaction,
                'value', satisfaction,
                'weight', $weight_satisfaction,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'advocacy',
                'raw_value', advocacy,
                'value', advocacy_unit,
                'weight', $weight_advocacy,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'social_activity',
                'raw_value', social_activity,
                'value', social_activity_unit,
                'weight', $weight_social_activity,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'support_friction',
                'raw_value', support_friction,
                'value', support_friction_unit,
                'weight', $weight_support_friction,
                'direction', 'lower_is_better'
            )
        ) as components,
        make_array(
            named_struct('name', 'recommendation', 'value', recommendation, 'weight', 1.0),
            named_struct('name', 'trust', 'value', trust, 'weight', 1.0),
            named_struct('name', 'preference', 'value', preference, 'weight', 1.0),
            named_struct('name', 'repurchase', 'value', repurchase, 'weight', 1.0)
        ) as attitudes
    from int_loyalty_units

)

select
    customer_id,
    components,  -- in this order everywhere: 1 to 5 are behavior, 7 satisfaction, 8 and 9 advocacy
    weighted_score(components) as loyalty,  -- score, coverage, contributions
    weighted_score(array_slice(components, 1, 5)) as behavioral,
    weighted_score(attitudes) as attitudinal,
    weighted_score(array_slice(components, 7, 7)) as satisfaction,
    weighted_score(array_slice(components, 8, 9)) as advocacy
from component_lists
