-- loyalty_scores__scores_in_range: scores are between 0 and 100, coverage between 0 and 1.
-- table: loyalty_scores
-- severity: error
-- inputs: loyalty_scores
-- params: none
select
    customer_id,
    loyalty_score,
    coverage,
    behavioral_score,
    attitudinal_score,
    advocacy_score,
    satisfaction_score
from loyalty_scores
where
    not (loyalty_score between 0 and 100)
    or coverage is null
    or not (coverage between 0 and 1)
    or not (behavioral_score between 0 and 100)
    or not (attitudinal_score between 0 and 100)
    or not (advocacy_score between 0 and 100)
    or not (satisfaction_score between 0 and 100)
