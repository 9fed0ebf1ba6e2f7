-- stg_refunds: the source refunds through its contract; override it to map other columns.
-- grain: refund_id
-- inputs: source.refunds
-- params: none
-- kept: by file
-- source: the contract in sources/refunds.sql
select * from source.refunds
