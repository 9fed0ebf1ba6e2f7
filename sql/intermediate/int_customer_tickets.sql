-- int_customer_tickets: what each customer asked support for, summed up.
-- grain: customer_id
-- inputs: contact_outcomes
-- params: $activity_window_days, $as_of_date, $complaint_kinds, $question_kinds
-- source: a window of N days are the last N days up to $as_of_date
select
    ---------- ids
    customer_id,

    ---------- numerics
    count(*) filter (
        where
            array_has($complaint_kinds, topic)
            and contacted_on > $as_of_date - $activity_window_days
    ) as complaints,
    count(*) filter (
        where
            array_has($question_kinds, topic)
            and contacted_on > $as_of_date - $activity_window_days
    ) as questions,
    count(*) filter (where not is_resolved) as unresolved_tickets,
    median(hours_to_resolution) as median_hours_to_resolution  -- hours

from contact_outcomes
where
    outcome = 'valid'
    and source = 'support_tickets'
    and customer_id is not null
group by customer_id
