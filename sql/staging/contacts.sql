-- contacts: answers, reviews, mentions and tickets in one form, each row as its source has it.
-- grain: none
-- inputs: stg_reviews, stg_social_mentions, stg_support_tickets, stg_survey_answers
-- params: none
-- source: only what is used is here, so that rows which are equal here are equal for all readers;
--     nullif gives a NULL of the type that sources have, which spans more years than a cast's
select
    'survey_answers' as source,
    cast(answer_id as varchar) as contact_id,
    customer_id,
    answered_at as contacted_at,
    nullif(answered_at, answered_at) as resolved_at,
    question as topic,
    aspect,
    value,
    scale_min,
    scale_max,
    broken_rule,
    broken_detail
from stg_survey_answers

union all

select
    'reviews' as source,
    cast(review_id as varchar) as contact_id,
    customer_id,
    reviewed_at as contacted_at,
    nullif(reviewed_at, reviewed_at) as resolved_at,
    'rating' as topic,
    cast(null as varchar) as aspect,
    rating as value,
    scale_min,
    scale_max,
    broken_rule,
    broken_detail
from stg_reviews

union all

select
    'social_mentions' as source,
    cast(mention_id as varchar) as contact_id,
    customer_id,
    mentioned_at as contacted_at,
    nullif(mentioned_at, mentioned_at) as resolved_at,
    'sentiment' as topic,
    cast(null as varchar) as aspect,
    sentiment as value,
    -1.0 as scale_min,
    1.0 as scale_max,
    broken_rule,
    broken_detail
from stg_social_mentions

union all

select
    'support_tickets' as source,
    cast(ticket_id as varchar) as contact_id,
    customer_id,
    opened_at as contacted_at,
    resolved_at,
    kind as topic,
    aspect,
    cast(null as double) as value,
    cast(null as double) as scale_min,
    cast(null as double) as scale_max,
    broken_rule,
    broken_detail
from stg_support_tickets
