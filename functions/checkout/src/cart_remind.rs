//! Every five minutes: reminds the owners of carts that nobody came back to.
//!
//! All that is due is read in batches. A cart is written with its message,
//! over the version that was read, so one filling is told of once, however
//! many sweeps run; a cart that changed meanwhile is due at another time.

use std::sync::Arc;

use aftercart::{
    messages::{CartAbandoned, Message},
    model::id::CartId,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
    },
    store::{CommitError, Found, Index, Key, Op, Sends, Table, carts},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cart-remind",
    about: "Reminds owners of abandoned carts, once a filling.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Carts, &[Op::BatchGetItem, Op::PutItem]),
        Need::Index(Table::Carts, Index::ByDue),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let due = app.store.carts_due(app.now(), SWEEP_MAX).await?;
    let keys: Vec<Key> = due.iter().map(Key::cart).collect();
    let found = app.store.read(&keys).await?;
    let mut swept = Swept::default();
    for id in &due {
        swept.see_to(id.as_str(), remind(&app, id, &found)).await;
    }
    Ok(swept)
}

/// The index lags, so the cart itself says whether it is due.
async fn remind(app: &App, id: &CartId, found: &Found) -> Result<Outcome, Failure> {
    let now = app.now();
    let cart = found.cart(id, now)?;
    let (Some(told), Some(contact)) = (cart.reminded(now), cart.content.reminder()) else {
        return Ok(Outcome::Settled);
    };
    let message = Message::CartAbandoned(CartAbandoned {
        cart: id.clone(),
        version: told.version,
        customer: cart.member.clone(),
        email: contact.email.clone(),
        language: contact.language,
        skus: cart.content.lines.iter().map(|line| line.sku.clone()).collect(),
        unsubscribe: None,
    });
    match app.store.commit(carts::save(&told, &Sends::one(message, now, None))).await {
        Ok(()) => {
            app.metrics.count(Metric::CartReminded, now);
            Ok(Outcome::Done)
        }
        // It changed, was ordered, or another run has reminded of it.
        Err(CommitError::Lost(_)) => Ok(Outcome::Settled),
        Err(error) => Err(error.into()),
    }
}
