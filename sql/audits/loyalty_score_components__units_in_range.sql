-- loyalty_score_components__units_in_range: unit values are between 0 and 1, weights not negative.
-- table: loyalty_score_components
-- severity: error
-- inputs: loyalty_score_components
-- params: none
select
    customer_id,
    component,
    unit_value,
    weight
from loyalty_score_components
where
    not (unit_value between 0 and 1)
    or weight is null
    or not (weight >= 0)
