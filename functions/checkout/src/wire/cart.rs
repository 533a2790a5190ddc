//! What clients send and get of carts.

use aftercart::model::{
    cart::{Cart, CartContent, CartLine},
    customer::Contact,
    money::Money,
    price::Code,
    product::{Product, Sku},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineRequest;

/// The body of `PUT /cart`: all that is in the cart from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutCart {
    /// At most 50 lines, each SKU once.
    pub lines: Vec<LineRequest>,
    /// Coupon codes, at most 5. Whether they are good for anything a quote tells.
    #[serde(default)]
    pub codes: Vec<Code>,
    /// Where a reminder goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Whether the owner agrees to be reminded of the cart.
    #[serde(default)]
    pub remind: bool,
    /// The version that the client saw: a cart of another is not changed. Any
    /// version is changed otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The body of `PUT /cart/lines/{sku}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutCartLine {
    /// How many there are in the cart from now on, 0 to 999; 0 takes the line out.
    pub quantity: i64,
}

/// A cart. What it costs, with discounts, delivery and taxes, a quote tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CartView {
    /// Grows with every change; 0 is a cart that nobody has put anything into.
    pub version: u64,
    /// What is in it.
    pub lines: Vec<CartLineView>,
    /// Coupon codes, in capitals.
    pub codes: Vec<Code>,
    /// Where a reminder goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Whether the owner agrees to be reminded of the cart.
    pub remind: bool,
    /// When it is emptied, unless it changes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A line of a cart, with the product as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CartLineView {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// Whether the shop does not sell it, or no more: it cannot be ordered.
    pub gone: bool,
    /// The title of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<80>>,
    /// The list price of one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// A member's cart after a guest's was merged into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MergedCartView {
    /// The member's cart.
    pub cart: CartView,
    /// What stayed in the guest's cart, because the member's has no more lines.
    pub not_merged: Vec<Sku>,
}

impl CartView {
    /// A cart with the products of its lines, line by line.
    #[must_use]
    pub fn of(cart: &Cart, products: Vec<Option<Product>>) -> Self {
        let content = &cart.content;
        let lines = content.lines.iter().zip(products);
        Self {
            version: cart.version,
            lines: lines.map(|(line, product)| CartLineView::of(line, product)).collect(),
            codes: content.codes.clone(),
            contact: content.contact.clone(),
            remind: content.remind,
            expires_at: cart.expires_at.filter(|_| *content != CartContent::default()),
        }
    }
}

impl CartLineView {
    fn of(line: &CartLine, product: Option<Product>) -> Self {
        let (sku, quantity, gone) = (line.sku.clone(), line.quantity, product.is_none());
        let (title, unit_price) = product.map(|product| (product.title, product.price)).unzip();
        Self { sku, quantity, gone, title, unit_price }
    }
}
