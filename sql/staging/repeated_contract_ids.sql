-- repeated_contract_ids: the keys that more than one row of the source contracts has.
-- grain: contract_id
-- inputs: stg_contracts
-- params: none
-- source: only the copies of these keys have to be ranked, which spares sorting all rows
select contract_id
from stg_contracts
group by contract_id
having
    count(*) > 1
    and contract_id is not null
