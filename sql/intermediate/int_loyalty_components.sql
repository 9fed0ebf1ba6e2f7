-- int_loyalty_components: the components of each customer's loyalty, and their weighted score.
-- grain: customer_id
-- inputs: int_loyalty_values, score_cuts
-- params: $weight_advocacy, $weight_average_order_value, $weight_purchase_frequency,
--     $weight_purchase_recency, $weight_recommendation, $weight_regularity, $weight_satisfaction,
--     $weight_social_activity, $weight_support_friction, $weight_tenure
-- source: a unit value is the place among all customers who have the value, turned around where
--     less is better; weights are re-scaled over the components that are present
with

component_lists as (

    select
        customer_id,
        make_array(
            named_struct(
                'name', 'purchase_frequency',
                'raw_value', purchase_frequency,
                'value', percent_score(
                    purchase_frequency,
                    (select cuts from score_cuts where score = 'purchase_frequency')
                ),
                'weight', $weight_purchase_frequency,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'purchase_recency',
                'raw_value', purchase_recency,
                'value', 1 - percent_score(
                    purchase_recency,
                    (select cuts from score_cuts where score = 'purchase_recency')
                ),
                'weight', $weight_purchase_recency,
                'direction', 'lower_is_better'
            ),
            named_struct(
                'name', 'average_order_value',
                'raw_value', average_order_value,
                'value', percent_score(
                    average_order_value,
                    (select cuts from score_cuts where score = 'average_order_value')
                ),
                'weight', $weight_average_order_value,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'tenure',
                'raw_value', tenure,
                'value', percent_score(
                    tenure,
                    (select cuts from score_cuts where score = 'tenure')
                ),
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
                'raw_value', cast(null as double),
                'value', cast(null as double),
                'weight', $weight_recommendation,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'satisfaction',
                'raw_value', cast(null as double),
                'value', cast(null as double),
                'weight', $weight_satisfaction,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'advocacy',
                'raw_value', cast(null as double),
                'value', cast(null as double),
                'weight', $weight_advocacy,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'social_activity',
                'raw_value', cast(null as double),
                'value', cast(null as double),
                'weight', $weight_social_activity,
                'direction', 'higher_is_better'
            ),
            named_struct(
                'name', 'support_friction',
                'raw_value', cast(null as double),
                'value', cast(null as double),
                'weight', $weight_support_friction,
                'direction', 'lower_is_better'
            )
        ) as components
    from int_loyalty_values

)

select
    customer_id,
    components,  -- in this order everywhere: 1 to 5 are behavior, 7 satisfaction, 8 and 9 advocacy
    weighted_score(components) as loyalty,  -- score, coverage, contributions
    weighted_score(array_slice(components, 1, 5)) as behavioral,
    weighted_score(array_slice(components, 7, 7)) as satisfaction,
    weighted_score(array_slice(components, 8, 9)) as advocacy
from component_lists
