-- stg_social_mentions: the source social_mentions through its contract; override it to map columns.
-- grain: mention_id
-- inputs: source.social_mentions
-- params: none
-- source: the contract in sources/social_mentions.sql
select * from source.social_mentions
