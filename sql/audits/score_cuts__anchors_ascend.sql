-- score_cuts__anchors_ascend: configured anchors are two values, the lower one first.
-- table: score_cuts
-- severity: error
-- inputs: none
-- params: $anchors_advocacy, $anchors_average_order_value, $anchors_purchase_frequency,
--     $anchors_purchase_recency, $anchors_social_activity, $anchors_support_friction,
--     $anchors_tenure
with

anchors as (

    select 'anchors_advocacy' as parameter, $anchors_advocacy as two_values
    union all
    select 'anchors_average_order_value' as parameter, $anchors_average_order_value as two_values
    union all
    select 'anchors_purchase_frequency' as parameter, $anchors_purchase_frequency as two_values
    union all
    select 'anchors_purchase_recency' as parameter, $anchors_purchase_recency as two_values
    union all
    select 'anchors_social_activity' as parameter, $anchors_social_activity as two_values
    union all
    select 'anchors_support_friction' as parameter, $anchors_support_friction as two_values
    union all
    select 'anchors_tenure' as parameter, $anchors_tenure as two_values

)

select *
from anchors
where
    two_values is not null
    and (array_length(two_values) = 2 and two_values[1] < two_values[2]) is not true
