-- contract_outcomes: every contract once, how many periods it has had, and what became of it.
-- grain: contract_id, rule
-- inputs: excluded_customers, repeated_contract_ids, repeated_contracts, stg_contracts
-- params: $as_of_date, $contract_period_months
-- source: a contract is valid when it began up to $as_of_date, and has ended when its end is not
--     later
with

-- the small side of a join stands on the left: that side is held in memory
contracts_once as (

    select stg_contracts.*
    from repeated_contract_ids
    right anti join stg_contracts
        on repeated_contract_ids.contract_id = stg_contracts.contract_id
        and stg_contracts.broken_rule is null

    union all by name

    select * from repeated_contracts

),

judged as (

    select
        contracts_once.*,
        case
            when excluded_customers.reason = 'erased' then excluded_customers.reason
            when
                contracts_once.started_on > $as_of_date
                and contracts_once.broken_rule is distinct from 'started_on_in_range'
                then 'after_as_of_date'
            when contracts_once.broken_rule is not null then 'quarantined'
            when excluded_customers.reason is not null then excluded_customers.reason
            else 'valid'
        end as outcome,
        coalesce(contracts_once.ended_on <= $as_of_date, false) as is_ended
    from excluded_customers
    right join contracts_once
        on excluded_customers.customer_id = contracts_once.customer_id

),

-- a contract that ends on the day of a renewal has not been renewed
observed as (

    select
        *,
        case when is_ended then ended_on - 1 else $as_of_date end as renewed_up_to
    from judged

),

aged as (

    -- a month is over on the same day of the next one, or on its day after the last
    select
        *,
        floor(
            (
                12 * (date_part('year', renewed_up_to) - date_part('year', started_on))
                + date_part('month', renewed_up_to) - date_part('month', started_on)
                - case
                    when date_part('day', renewed_up_to) < date_part('day', started_on) then 1
                    else 0
                end
            ) / cast($contract_period_months as double)
        ) as renewals
    from observed

)

select
    ---------- ids
    contract_id,
    customer_id,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,

    ---------- numerics
    value_per_period,  -- money
    -- begun ones of a contract that ended, renewed ones of one that goes on: as sbg_fit counts
    cast(
        case when is_ended then greatest(renewals + 1, 1) else greatest(renewals, 0) end as bigint
    ) as periods,

    ---------- dates
    started_on,

    ---------- booleans
    is_ended  -- as of $as_of_date

from aged
