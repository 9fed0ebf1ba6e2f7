-- segment_ltv__shares_in_range: shares and rates are between 0 and 1.
-- table: segment_ltv
-- severity: error
-- inputs: segment_ltv
-- params: none
select
    scheme,
    segment,
    customer_share,
    value_share,
    churn_rate,
    gini,
    lifespan_years,
    satisfaction_loyalty_spearman
from segment_ltv
where
    not (customer_share between 0 and 1)
    or not (value_share between 0 and 1)
    or not (churn_rate between 0 and 1)
    or not (gini between 0 and 1)
    or not (lifespan_years >= 0)
    or not (satisfaction_loyalty_spearman between -1 and 1)
    or (satisfaction_status = 'ok') != (satisfaction_loyalty_spearman is not null)
