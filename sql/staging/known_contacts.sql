-- known_contacts: every row of contacts, and whether it is the one of its key that counts.
-- grain: source, contact_id, broken_rule, copy_rank
-- inputs: contacts
-- params: $as_of_date, $time_zone
-- source: of several rows with one key the latest up to $as_of_date counts; equal ones are ranked
--     by content, so that the choice does not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
repeated_ids as (

    select
        source,
        contact_id
    from contacts
    where broken_rule is null
    group by source, contact_id
    having count(*) > 1

),

repeated_contacts as (

    select
        contacts.*,
        business_date(contacts.contacted_at, $time_zone) <= $as_of_date as is_past
    from repeated_ids
    right semi join contacts
        on repeated_ids.contact_id = contacts.contact_id
        and repeated_ids.source = contacts.source
    where contacts.broken_rule is null

)

select
    contacts.*,
    cast(1 as bigint) as copy_rank  -- 1 is the row that counts
from repeated_ids
right anti join contacts
    on repeated_ids.contact_id = contacts.contact_id
    and repeated_ids.source = contacts.source
    and contacts.broken_rule is null

union all by name

select
    * exclude (is_past),
    row_number() over (
        partition by source, contact_id
        order by
            is_past desc,
            contacted_at desc,
            resolved_at asc nulls last,
            customer_id,
            topic,
            aspect,
            value,
            scale_min,
            scale_max
    ) as copy_rank
from repeated_contacts
