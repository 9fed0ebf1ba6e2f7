-- social_mentions: where customers spoke of the shop in public, one row per mention.
-- grain: mention_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table social_mentions (
    mention_id varchar not null comment 'the mention; varchar or any integer',
    customer_id varchar comment 'who spoke; NULL when unknown; varchar or any integer',
    mentioned_at timestamp with time zone not null comment 'instant of the mention',
    sentiment double check (sentiment between -1 and 1)
        comment '-1 (worst) to 1 (best); NULL when unknown',
    primary key (mention_id)
)
