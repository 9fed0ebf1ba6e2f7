-- reviews: ratings that customers gave in public, one row per review.
-- grain: review_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table reviews (
    review_id varchar not null comment 'the review; varchar or any integer',
    customer_id varchar comment 'who wrote it; NULL when unknown; varchar or any integer',
    reviewed_at timestamp with time zone not null comment 'instant of the review',
    product_id varchar comment 'what it is about; varchar or any integer',
    rating double not null comment 'stars, on their scale',
    scale_min double not null comment 'the worst rating',
    scale_max double not null check (scale_max != scale_min) comment 'the best rating',
    text varchar comment 'what was written',
    primary key (review_id)
)
