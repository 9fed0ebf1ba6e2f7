//! Loyalake's functions in a session of one's own: register them, then write SQL as usual.
//!
//! `cargo run --example register_functions`

use datafusion::error::Result;
use datafusion::prelude::SessionContext;

#[tokio::main]
async fn main() -> Result<()> {
    // any session will do: with your tables, your object stores, your memory limit
    let mut context = SessionContext::new();
    loyalake_functions::register_all(&mut context)?;
    for function in loyalake_functions::table_functions() {
        context.register_udtf(function.name(), function.function().clone());
    }

    context
        .sql(
            "create view orders as select * from (values \
             ('ada', date '2026-01-05', 20.0), ('ada', date '2026-02-14', 35.0), \
             ('ada', date '2026-03-20', 25.0), ('ben', date '2026-01-12', 80.0)) \
             as orders (customer, ordered_on, amount)",
        )
        .await?;
    context
        .sql(
            "with histories as ( \
                 select \
                     customer, \
                     purchase_history(ordered_on, amount, date '2026-03-31') as history \
                 from orders group by customer \
             ) \
             select customer, history['repeat_purchases'] as repeat_purchases, \
                 btyd_p_alive( \
                     fitted_model('mbg_nbd', [0.525, 43.28, 0.891, 1.614]), \
                     history['repeat_purchases'], history['recency_days'], history['age_days'] \
                 ) as p_alive \
             from histories order by customer",
        )
        .await?
        .show()
        .await
}
