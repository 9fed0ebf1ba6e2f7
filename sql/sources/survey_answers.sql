-- survey_answers: what customers answered in surveys, one row per answer to a question.
-- grain: answer_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table survey_answers (
    answer_id varchar not null comment 'the answer; varchar or any integer',
    customer_id varchar comment 'who answered; NULL when unknown; varchar or any integer',
    answered_at timestamp with time zone not null comment 'instant of the answer',
    question varchar not null
        comment 'nps, csat, trust, preference, repurchase, expectation, performance, …',
    aspect varchar comment 'what the question was about: delivery, price, …; NULL is the whole',
    value double not null comment 'the answer, on its scale',
    scale_min double not null comment 'the worst answer; greater than scale_max: reversed',
    scale_max double not null check (scale_max != scale_min) comment 'the best answer',
    primary key (answer_id)
)
