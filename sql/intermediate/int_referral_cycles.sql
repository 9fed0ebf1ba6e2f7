-- int_referral_cycles: the conversions by which customers referred each other in a circle.
-- grain: referral_id
-- inputs: referral_outcomes
-- params: none
-- source: a conversion lies on a cycle when its referee leads back to its referrer; each stands as
--     a node between the two, because a conversion from one circle to another lies on none
with

conversions as (

    select
        referral_id,
        concat('referral ', cast(referral_id as varchar)) as referral,
        concat('customer ', cast(referrer_id as varchar)) as referrer,
        concat('customer ', cast(referee_id as varchar)) as referee
    from referral_outcomes
    where
        outcome = 'valid'
        and is_converted
        and referrer_id != referee_id

),

links as (

    select
        referrer as from_node,
        referral as to_node
    from conversions

    union all

    select
        referral as from_node,
        referee as to_node
    from conversions

),

members as (

    select unnest(cycle_members(from_node, to_node)) as node
    from links

)

select conversions.referral_id
from members
inner join conversions
    on members.node = conversions.referral
