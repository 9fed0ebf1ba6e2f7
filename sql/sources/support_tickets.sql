-- support_tickets: what customers asked support for, one row per ticket.
-- grain: ticket_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table support_tickets (
    ticket_id varchar not null comment 'the ticket; varchar or any integer',
    customer_id varchar comment 'who asked; NULL when unknown; varchar or any integer',
    opened_at timestamp with time zone not null comment 'instant of the first contact',
    first_response_at timestamp with time zone comment 'instant of the first answer',
    resolved_at timestamp with time zone check (resolved_at >= opened_at)
        comment 'instant of the resolution; NULL, or after the date: unresolved',
    kind varchar not null comment 'as the shop names it: complaint, howto, defect, …',
    aspect varchar comment 'what it was about: delivery, price, …',
    primary key (ticket_id)
)
