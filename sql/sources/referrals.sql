-- referrals: whom customers invited, one row per invitation.
-- grain: referral_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table referrals (
    referral_id varchar not null comment 'the invitation; varchar or any integer',
    referrer_id varchar not null references customers (customer_id) comment 'who invited',
    referee_id varchar references customers (customer_id)
        comment 'who was invited; NULL until known',
    invited_at timestamp with time zone not null comment 'instant of the invitation',
    converted_at timestamp with time zone
        comment 'instant at which the invited became a customer; NULL when not, or not yet',
    status varchar not null comment 'as the shop names it: invited, converted, reversed, …',
    cost decimal(18, 4) check (cost >= 0)
        comment 'money: paid for the referral, in the reporting currency; NULL is 0',
    primary key (referral_id)
)
