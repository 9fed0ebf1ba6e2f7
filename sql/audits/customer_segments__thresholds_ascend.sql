-- customer_segments__thresholds_ascend: thresholds and shares that are configured make sense.
-- table: customer_segments
-- severity: error
-- inputs: none
-- params: $at_risk_gaps, $cpm_prime_days, $cpm_steady_days, $lapsed_gaps, $positive_unit,
--     $would_have_joined
select
    $at_risk_gaps as at_risk_gaps,
    $lapsed_gaps as lapsed_gaps,
    $cpm_steady_days as cpm_steady_days,
    $cpm_prime_days as cpm_prime_days,
    $positive_unit as positive_unit,
    $would_have_joined as would_have_joined
where
    $at_risk_gaps > $lapsed_gaps
    or $cpm_steady_days > $cpm_prime_days
    or not $positive_unit between 0 and 1
    or not $would_have_joined between 0 and 1
