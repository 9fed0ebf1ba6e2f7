-- refund_outcomes__order_is_known: refunds of orders that are not in the source reduce nothing.
-- table: refund_outcomes
-- severity: warn
-- inputs: refund_outcomes, stg_orders
-- params: none
select
    refund_outcomes.refund_id,
    refund_outcomes.order_id,
    refund_outcomes.amount
from refund_outcomes
left anti join stg_orders
    on refund_outcomes.order_id = stg_orders.order_id
where refund_outcomes.outcome = 'valid'
