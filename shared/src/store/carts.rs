//! Carts, one item each.
//!
//! A cart is written whole, over the version that was read. DynamoDB takes
//! away what has expired, some time later; until then reading tells.

use serde::{Deserialize, Serialize};

use crate::model::{
    cart::{Cart, CartContent, CartLine, CartOrder},
    customer::{Contact, CustomerId},
    id::{CartId, OrderId},
    order::Order,
    price::Code,
    product::Sku,
    time::Timestamp,
};

use super::{
    CommitError, Conflict, Due, DueTable, Found, Key, Sends, Store, StoreError, Write,
    item::{Item, from_item, in_range, is_default, stored},
    key::{DUE_SHARD, due_shard},
};

const VERSION: &str = "n";

/// How often a change of a cart is decided again because somebody else changed
/// it meanwhile: of so many who change it at once, each comes through.
const ATTEMPTS: u32 = 8;

#[derive(Serialize, Deserialize)]
struct StoredCart {
    v: u32,
    #[serde(skip_serializing)]
    pk: CartId,
    #[serde(default, skip_serializing_if = "is_default")]
    cu: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "is_default")]
    l: Vec<(Sku, u32)>,
    #[serde(default, skip_serializing_if = "is_default")]
    c: Vec<Code>,
    #[serde(default, skip_serializing_if = "is_default")]
    to: Option<Contact>,
    #[serde(default, skip_serializing_if = "is_default")]
    w: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    f: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    r: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    due: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    o: Vec<OrderId>,
    /// When it expires, in seconds after 1970 began; the name that the table's
    /// time to live is set to.
    #[serde(default, skip_serializing_if = "is_default")]
    ttl: Option<i64>,
    n: u64,
}
stored!(StoredCart, "cart", 1);

/// Writes a cart over the version before it. Loses when the cart was written
/// since that was read.
#[must_use]
pub fn save(cart: &Cart, sends: &Sends) -> Write {
    let content = &cart.content;
    let form = StoredCart {
        v: 1,
        pk: cart.id.clone(),
        cu: cart.member.clone(),
        l: content.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect(),
        c: content.codes.clone(),
        to: content.contact.clone(),
        w: content.remind,
        f: cart.filled_at,
        r: cart.reminded_at,
        due: cart.remind_due,
        o: cart.ended_by.clone(),
        ttl: cart.expires_at.map(Timestamp::unix_seconds),
        n: cart.version,
    };
    let write = Write::put(Key::cart(&cart.id), &form, sends)
        .unchanged(VERSION, cart.version.saturating_sub(1));
    match cart.remind_due {
        None => write,
        Some(_) => write.indexed(DUE_SHARD, due_shard(cart.id.as_str())),
    }
}

fn cart_from_item(item: &Item) -> Result<Cart, StoreError> {
    let form: StoredCart = from_item(item)?;
    let expires_at = form.ttl.map(Timestamp::from_unix_seconds).transpose();
    let lines = form.l.into_iter().map(|(sku, quantity)| CartLine { sku, quantity });
    Ok(Cart {
        id: form.pk,
        member: form.cu,
        version: form.n,
        content: CartContent {
            lines: lines.collect(),
            codes: form.c,
            contact: form.to,
            remind: form.w,
        },
        filled_at: form.f,
        reminded_at: form.r,
        remind_due: form.due,
        expires_at: in_range("cart", expires_at)?,
        ended_by: form.o,
    })
}

/// The cart in an item, or an empty one if there is none.
fn cart_at(id: &CartId, item: Option<&Item>, now: Timestamp) -> Result<Cart, StoreError> {
    item.map_or_else(|| Ok(Cart::empty(id.clone())), cart_from_item).map(|cart| cart.at(now))
}

impl Found {
    /// The cart as it is at `now`, empty if there is none. It must have been
    /// asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn cart(&self, id: &CartId, now: Timestamp) -> Result<Cart, StoreError> {
        cart_at(id, self.item(&Key::cart(id)), now)
    }
}

impl Store {
    /// The cart as it is at `now`, empty if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cart(&self, id: &CartId, now: Timestamp) -> Result<Cart, StoreError> {
        cart_at(id, self.get(&Key::cart(id)).await?.as_ref(), now)
    }

    /// Changes a cart by a rule, which says what the cart becomes, or that it
    /// stays as it is: a change that leaves nothing to do is written once,
    /// however often it comes. When somebody else changes the cart at the same
    /// moment, the rule is asked again. Gives the cart as it is afterwards.
    ///
    /// # Errors
    /// What the rule refuses; [`StoreError`], [`StoreError::Contended`] when
    /// others were first every time.
    pub async fn change_cart<E: From<StoreError>>(
        &self,
        id: &CartId,
        now: Timestamp,
        rule: impl Fn(&Cart) -> Result<Option<Cart>, E>,
    ) -> Result<Cart, E> {
        let mut cart = self.cart(id, now).await?;
        for _ in 0..ATTEMPTS {
            let Some(changed) = rule(&cart)? else { return Ok(cart) };
            match self.commit(save(&changed, &Sends::none())).await {
                Ok(()) => return Ok(changed),
                Err(CommitError::Failed(error)) => return Err(error.into()),
                Err(CommitError::Lost(conflicts)) => {
                    cart = cart_at(id, Conflict::at(&conflicts, 0), now)?;
                }
            }
        }
        Err(StoreError::Contended { attempts: ATTEMPTS }.into())
    }

    /// Takes what was ordered out of the cart that the order came from, once
    /// however often and late it is called: see [`Cart::ended`]. A function
    /// that calls it gets and puts items of the table of carts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_cart(
        &self,
        id: &CartId,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let order = CartOrder::from(order);
        self.change_cart(id, now, |cart| Ok(cart.ended(&order))).await.map(drop)
    }

    /// The carts whose owners are to be reminded by `now`, as the index has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carts_due(&self, now: Timestamp, most: u16) -> Result<Vec<CartId>, StoreError> {
        let due = self.due(DueTable::Carts, now, most).await?;
        let cart = |due: &Due| CartId::parse(&due.pk).ok();
        Ok(due.iter().filter_map(cart).collect())
    }
}
