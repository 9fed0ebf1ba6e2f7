-- repeated_refunds: the refund ids that occur more than once, each once.
-- grain: refund_id
-- inputs: repeated_refund_ids, stg_refunds
-- params: $as_of_date, $time_zone
-- source: the latest up to $as_of_date counts, then the earliest later one, so that later ones
--     change nothing; equal ones are ranked by content, so that the choice does not depend on the
--     order of rows
with

-- the small side of a join stands on the left: that side is held in memory
good_copies as (

    select
        stg_refunds.*,
        business_date(stg_refunds.refunded_at, $time_zone) <= $as_of_date as is_known
    from repeated_refund_ids
    right semi join stg_refunds
        on repeated_refund_ids.refund_id = stg_refunds.refund_id
    where stg_refunds.broken_rule is null

),

ranked as (

    select
        *,
        row_number() over (
            partition by refund_id
            order by
                is_known desc,
                case when is_known then refunded_at end desc nulls last,
                refunded_at asc,
                amount,
                order_id,
                currency,
                reason
        ) as copy_rank
    from good_copies

)

select
    ---------- ids
    refund_id,
    order_id,

    ---------- text
    currency,

    ---------- numerics
    amount,  -- money of currency

    ---------- timestamps
    refunded_at

from ranked
where copy_rank = 1
