-- stg_referrals: the source referrals through its contract; override it to map other columns.
-- grain: referral_id
-- inputs: source.referrals
-- params: none
-- source: the contract in sources/referrals.sql
select * from source.referrals
