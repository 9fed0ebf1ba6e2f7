-- segment_transitions__rows_add_up: shares of the customers of a segment make one.
-- table: segment_transitions
-- severity: error
-- inputs: segment_transitions
-- params: $relative_tolerance
select
    scheme,
    from_segment,
    sum(probability) as probability,
    sum(customers) as customers,
    max(from_customers) as from_customers
from segment_transitions
group by scheme, from_segment
having
    min(probability) <= 0
    or abs(sum(probability) - 1) > $relative_tolerance
    or sum(customers) != min(from_customers)
    or sum(customers) != max(from_customers)
