-- refund_outcomes__order_is_known: refunds of orders that are not in the source reduce nothing.
-- table: refund_outcomes
-- severity: warn
-- inputs: refund_outcomes
-- params: none
select
    refund_id,
    order_id,
    amount
from refund_outcomes
where
    outcome = 'valid'
    and not is_order_known
