-- feedback_summary__figures_in_range: figures are on their scales, intervals hold them, parts are
--     parts.
-- table: feedback_summary
-- severity: error
-- inputs: feedback_summary
-- params: none
select
    feedback_month,
    source,
    nps,
    csat,
    mean_rating,
    positive_share
from feedback_summary
where
    not (nps between -100 and 100 and nps between nps_ci_low and nps_ci_high)
    or not (csat between 0 and 1 and csat between csat_ci_low and csat_ci_high)
    or not (mean_rating between 0 and 1)
    or not (positive_share between 0 and 1)
    or not (positive_ci_low <= positive_share and positive_share <= positive_ci_high)
    or nps_responses > responses
    or csat_responses > responses
    or judged_responses > responses
