-- int_loyalty_components: the components of each customer's loyalty, and their weighted score.
-- grain: customer_id
-- inputs: int_loyalty_units
-- params: $weight_advocacy, $weight_average_order_value, $weight_purchase_frequency,
--     $weight_purchase_recency, $weight_recommendation, $weight_regularity, $weight_satisfaction,
--     $weight_social_activity, $weight_support_friction, $weight_tenure
-- source: unit values in int_loyalty_units; weights are re-scaled over the components that are
--     present; attitude rests on stated answers alone, each as heavy as the other
with

-- texts in every list would be most of the work: readers know the order
units as (

    select
        *,
        cast(null as varchar) as no_name
    from int_loyalty_units

),

component_lists as (

    select
        customer_id,
        make_array(
            named_struct(
                'name', no_name,
                'raw_value', purchase_frequency,
                'value', purchase_frequency_unit,
                'weight', $weight_purchase_frequency
            ),
            named_struct(
                'name', no_name,
                'raw_value', purchase_recency,
                'value', purchase_recency_unit,
                'weight', $weight_purchase_recency
            ),
            named_struct(
                'name', no_name,
                'raw_value', average_order_value,
                'value', average_order_value_unit,
                'weight', $weight_average_order_value
            ),
            named_struct(
                'name', no_name,
                'raw_value', tenure,
                'value', tenure_unit,
                'weight', $weight_tenure
            ),
            named_struct(
                'name', no_name,
                'raw_value', regularity,
                'value', regularity,
                'weight', $weight_regularity
            ),
            named_struct(
                'name', no_name,
                'raw_value', 10 * recommendation,
                'value', recommendation,
                'weight', $weight_recommendation
            ),
            named_struct(
                'name', no_name,
                'raw_value', satisfaction,
                'value', satisfaction,
                'weight', $weight_satisfaction
            ),
            named_struct(
                'name', no_name,
                'raw_value', advocacy,
                'value', advocacy_unit,
                'weight', $weight_advocacy
            ),
            named_struct(
                'name', no_name,
                'raw_value', social_activity,
                'value', social_activity_unit,
                'weight', $weight_social_activity
            ),
            named_struct(
                'name', no_name,
                'raw_value', support_friction,
                'value', support_friction_unit,
                'weight', $weight_support_friction
            )
        ) as components,
        make_array(
            named_struct('name', no_name, 'value', recommendation, 'weight', 1.0),
            named_struct('name', no_name, 'value', trust, 'weight', 1.0),
            named_struct('name', no_name, 'value', preference, 'weight', 1.0),
            named_struct('name', no_name, 'value', repurchase, 'weight', 1.0)
        ) as attitudes
    from units

)

select
    customer_id,
    -- purchase_frequency, purchase_recency, average_order_value, tenure, regularity: behavior;
    -- recommendation, satisfaction; advocacy, social_activity: advocacy; support_friction
    components,
    weighted_score(components) as loyalty,  -- score, coverage, contributions
    weighted_score(array_slice(components, 1, 5)) as behavioral,
    weighted_score(attitudes) as attitudinal,
    weighted_score(array_slice(components, 7, 7)) as satisfaction,
    weighted_score(array_slice(components, 8, 9)) as advocacy
from component_lists
