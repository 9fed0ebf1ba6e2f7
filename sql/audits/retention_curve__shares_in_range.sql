-- retention_curve__shares_in_range: shares are between 0 and 1, and intervals hold them.
-- table: retention_curve
-- severity: error
-- inputs: retention_curve
-- params: none
select
    cohort,
    period,
    at_risk,
    survival,
    fitted_survival
from retention_curve
where
    not (survival between ci_low and ci_high)
    or not (ci_low >= 0 and ci_high <= 1)
    or not (fitted_survival between 0 and 1)
    or ended > at_risk
