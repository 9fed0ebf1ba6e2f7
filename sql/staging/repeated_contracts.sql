-- repeated_contracts: the contract ids that occur more than once, each once.
-- grain: contract_id
-- inputs: repeated_contract_ids, stg_contracts
-- params: $as_of_date
-- source: a copy that began up to $as_of_date counts, and of those one that ended up to then, the
--     latest end first; equal ones are ranked by content, so that the choice does not depend on the
--     order of rows
with

-- the small side of a join stands on the left: that side is held in memory
ranked as (

    select
        stg_contracts.*,
        row_number() over (
            partition by stg_contracts.contract_id
            order by
                stg_contracts.started_on <= $as_of_date desc,
                case
                    when stg_contracts.ended_on <= $as_of_date then stg_contracts.ended_on
                end desc nulls last,
                stg_contracts.started_on,
                stg_contracts.value_per_period desc,
                stg_contracts.customer_id,
                stg_contracts.plan,
                stg_contracts.ended_on
        ) as copy_rank
    from repeated_contract_ids
    right semi join stg_contracts
        on repeated_contract_ids.contract_id = stg_contracts.contract_id
    where stg_contracts.broken_rule is null

)

select * exclude (copy_rank)
from ranked
where copy_rank = 1
