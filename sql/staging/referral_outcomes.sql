-- referral_outcomes: every referral, and what became of it.
-- grain: referral_id, rule, copy_rank
-- inputs: excluded_customers, stg_referrals
-- params: $as_of_date, $converted_statuses, $time_zone
-- source: of rows with one key the latest up to $as_of_date counts; equal ones: by content
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select referral_id
    from stg_referrals
    where broken_rule is null
    group by referral_id
    having count(*) > 1

),

repeated_referrals as (

    select
        stg_referrals.*,
        business_date(stg_referrals.invited_at, $time_zone) <= $as_of_date as is_past
    from repeated_ids
    right semi join stg_referrals
        on repeated_ids.referral_id = stg_referrals.referral_id
    where stg_referrals.broken_rule is null

),

told_apart as (

    select
        stg_referrals.*,
        1 as copy_rank
    from repeated_ids
    right anti join stg_referrals
        on repeated_ids.referral_id = stg_referrals.referral_id
        and stg_referrals.broken_rule is null

    union all by name

    select
        * exclude (is_past),
        row_number() over (
            partition by referral_id
            order by
                is_past desc,
                invited_at desc,
                converted_at asc nulls last,
                status,
                referrer_id,
                referee_id,
                cost
        ) as copy_rank
    from repeated_referrals

),

dated as (

    select
        *,
        business_date(invited_at, $time_zone) as invited_on,
        business_date(converted_at, $time_zone) as conversion_on,
        array_has($converted_statuses, status) and referee_id is not null as is_conversion
    from told_apart

),

judged as (

    select
        dated.*,
        case
            when referrers.reason = 'erased' or referees.reason = 'erased' then 'erased'
            when
                dated.invited_on > $as_of_date
                and dated.broken_rule is distinct from 'invited_at_in_range'
                then 'after_as_of_date'
            when dated.broken_rule is not null then 'quarantined'
            when referrers.reason is not null then referrers.reason
            when referees.reason is not null then referees.reason
            when dated.copy_rank > 1 then 'older_version'
            else 'valid'
        end as outcome,
        coalesce(dated.is_conversion and dated.conversion_on <= $as_of_date, false) as is_converted
    from excluded_customers as referees
    right join (
        excluded_customers as referrers
        right join dated
            on referrers.customer_id = dated.referrer_id
    )
        on referees.customer_id = dated.referee_id

)

select
    ---------- ids
    referral_id,
    referrer_id,
    referee_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,

    ---------- numerics
    coalesce(cost, 0) as cost,  -- money
    copy_rank,  -- 1 is the row that counts

    ---------- dates
    invited_on,  -- business date
    case when is_converted then conversion_on end as converted_on,

    ---------- booleans
    is_converted  -- as of $as_of_date

from judged
