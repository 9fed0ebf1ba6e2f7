-- Loyalty, step 2: a repeat buyer is not always a loyal customer.
--
-- Dick and Basu (1994) set what people do against what they think: 'true' is high in both,
-- 'spurious' is habit without conviction, 'latent' conviction without purchases. High is from 50.
-- Without an answer there is no attitude, and no type: it is never concluded from purchases.
select
    customer_id,
    round(behavioral_score, 1) as behavior,
    round(attitudinal_score, 1) as attitude,
    loyalty_type,
    attitudinal_status
from loyalty_scores
order by loyalty_type, behavior desc, customer_id;

-- result:
-- +---------------+----------+----------+--------------+-----------------------+
-- | customer_id   | behavior | attitude | loyalty_type | attitudinal_status    |
-- +---------------+----------+----------+--------------+-----------------------+
-- | bea-back      | 47.6     | 56.7     | latent       | ok                    |
-- | leo-latent    | 36.6     | 96.7     | latent       | ok                    |
-- | mia-mercenary | 35.0     | 28.3     | none         | ok                    |
-- | olga-hostage  | 77.2     | 26.7     | spurious     | ok                    |
-- | hugo-habit    | 64.4     | 33.3     | spurious     | ok                    |
-- | anna-true     | 72.9     | 88.3     | true         | ok                    |
-- | rosa-refers   | 63.7     | 91.7     | true         | ok                    |
-- | nils-new      | 58.5     |          |              | insufficient_coverage |
-- | sam-self      | 30.5     |          |              | insufficient_coverage |
-- | kai-circle    | 22.4     |          |              | insufficient_coverage |
-- | kim-circle    | 22.4     |          |              | insufficient_coverage |
-- | dora-gone     | 17.0     |          |              | insufficient_coverage |
-- +---------------+----------+----------+--------------+-----------------------+

-- Jones and Sasser (1995) set satisfaction against behaviour. A hostage stays, although unhappy,
-- until there is another way; a mercenary is happy, and buys elsewhere all the same. The two views
-- differ: Hugo is satisfied, so he is a loyalist here, but would not miss the shop, and Leo is no
-- mercenary at heart. Look at both.
select
    customer_id,
    round(satisfaction_score, 1) as satisfaction,
    round(behavioral_score, 1) as behavior,
    satisfaction_quadrant,
    satisfaction_status
from loyalty_scores
order by satisfaction_quadrant, behavior desc, customer_id;

-- result:
-- +---------------+--------------+----------+-----------------------+---------------------+
-- | customer_id   | satisfaction | behavior | satisfaction_quadrant | satisfaction_status |
-- +---------------+--------------+----------+-----------------------+---------------------+
-- | dora-gone     | 0.0          | 17.0     | defector              | ok                  |
-- | olga-hostage  | 25.0         | 77.2     | hostage               | ok                  |
-- | anna-true     | 100.0        | 72.9     | loyalist              | ok                  |
-- | hugo-habit    | 75.0         | 64.4     | loyalist              | ok                  |
-- | rosa-refers   | 100.0        | 63.7     | loyalist              | ok                  |
-- | nils-new      | 100.0        | 58.5     | loyalist              | ok                  |
-- | bea-back      | 75.0         | 47.6     | mercenary             | ok                  |
-- | leo-latent    | 75.0         | 36.6     | mercenary             | ok                  |
-- | mia-mercenary | 88.7         | 35.0     | mercenary             | ok                  |
-- | sam-self      |              | 30.5     |                       | no_answer           |
-- | kai-circle    |              | 22.4     |                       | no_answer           |
-- | kim-circle    |              | 22.4     |                       | no_answer           |
-- +---------------+--------------+----------+-----------------------+---------------------+
