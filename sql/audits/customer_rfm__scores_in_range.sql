-- customer_rfm__scores_in_range: every customer has scores from 1 to 5 and a segment.
-- table: customer_rfm
-- severity: error
-- inputs: customer_rfm
-- params: none
select
    customer_id,
    r_score,
    f_score,
    m_score,
    rfm_segment
from customer_rfm
where
    r_score is null
    or r_score not between 1 and 5
    or f_score is null
    or f_score not between 1 and 5
    or m_score is null
    or m_score not between 1 and 5
    or rfm_segment is null
