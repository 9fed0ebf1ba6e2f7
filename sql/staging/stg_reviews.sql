-- stg_reviews: the source reviews through its contract; override it to map other columns.
-- grain: review_id
-- inputs: source.reviews
-- params: none
-- source: the contract in sources/reviews.sql
select * from source.reviews
