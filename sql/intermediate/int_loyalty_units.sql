-- int_loyalty_units: each customer's loyalty components and their places between 0 and 1.
-- grain: customer_id
-- inputs: int_loyalty_values, score_cuts
-- params: $anchors_advocacy, $anchors_average_order_value, $anchors_purchase_frequency,
--     $anchors_purchase_recency, $anchors_social_activity, $anchors_support_friction,
--     $anchors_tenure
-- source: the place among all who have the value, or between two anchors; 1 is most loyal
select
    ---------- ids
    customer_id,

    ---------- numerics
    int_loyalty_values.* exclude (customer_id),
    case
        when purchase_frequency is not null
            then coalesce(
                scale_to_unit(
                    least(
                        greatest(purchase_frequency, $anchors_purchase_frequency[1]),
                        $anchors_purchase_frequency[2]
                    ),
                    $anchors_purchase_frequency[1],
                    $anchors_purchase_frequency[2]
                ),
                percent_score(
                    purchase_frequency,
                    (select cuts from score_cuts where score = 'purchase_frequency')
                )
            )
    end as purchase_frequency_unit,
    case
        when purchase_recency is not null
            then 1 - coalesce(
                scale_to_unit(
                    least(
                        greatest(purchase_recency, $anchors_purchase_recency[1]),
                        $anchors_purchase_recency[2]
                    ),
                    $anchors_purchase_recency[1],
                    $anchors_purchase_recency[2]
                ),
                percent_score(
                    purchase_recency, (select cuts from score_cuts where score = 'purchase_recency')
                )
            )
    end as purchase_recency_unit,
    case
        when average_order_value is not null
            then coalesce(
                scale_to_unit(
                    least(
                        greatest(average_order_value, $anchors_average_order_value[1]),
                        $anchors_average_order_value[2]
                    ),
                    $anchors_average_order_value[1],
                    $anchors_average_order_value[2]
                ),
                percent_score(
                    average_order_value,
                    (select cuts from score_cuts where score = 'average_order_value')
                )
            )
    end as average_order_value_unit,
    case
        when tenure is not null
            then coalesce(
                scale_to_unit(
                    least(greatest(tenure, $anchors_tenure[1]), $anchors_tenure[2]),
                    $anchors_tenure[1],
                    $anchors_tenure[2]
                ),
                percent_score(tenure, (select cuts from score_cuts where score = 'tenure'))
            )
    end as tenure_unit,
    case
        when advocacy is not null
            then coalesce(
                scale_to_unit(
                    least(greatest(advocacy, $anchors_advocacy[1]), $anchors_advocacy[2]),
                    $anchors_advocacy[1],
                    $anchors_advocacy[2]
                ),
                percent_score(advocacy, (select cuts from score_cuts where score = 'advocacy'))
            )
    end as advocacy_unit,
    case
        when social_activity is not null
            then coalesce(
                scale_to_unit(
                    least(
                        greatest(social_activity, $anchors_social_activity[1]),
                        $anchors_social_activity[2]
                    ),
                    $anchors_social_activity[1],
                    $anchors_social_activity[2]
                ),
                percent_score(
                    social_activity, (select cuts from score_cuts where score = 'social_activity')
                )
            )
    end as social_activity_unit,
    case
        when support_friction is not null
            then 1 - coalesce(
                scale_to_unit(
                    least(
                        greatest(support_friction, $anchors_support_friction[1]),
                        $anchors_support_friction[2]
                    ),
                    $anchors_support_friction[1],
                    $anchors_support_friction[2]
                ),
                percent_score(
                    support_friction, (select cuts from score_cuts where score = 'support_friction')
                )
            )
    end as support_friction_unit

from int_loyalty_values
