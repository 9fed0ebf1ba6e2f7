-- stg_support_tickets: the source support_tickets through its contract; override it to map columns.
-- grain: ticket_id
-- inputs: source.support_tickets
-- params: none
-- source: the contract in sources/support_tickets.sql
select * from source.support_tickets
