//! What clients send and get.

pub mod cart;

pub mod customer;

pub mod order;

pub mod quote;

pub mod share;

pub mod risk;

pub mod search;

pub mod stock;

pub use self::order::{OrderPage, OrderSummary, OrderView};

use self::quote::{DeliveryRequest, PointsRequest};
use aftercart::model::{
    customer::{Address, Contact, Country},
    id::{QuoteId, VoucherId},
    is_default,
    money::Money,
    product::{Access, Product, ProductFacts, Sku},
    text::Text,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// What is ordered: 1 to 50 lines, each SKU once.
    pub lines: Vec<LineRequest>,
    /// Where the parcels go.
    pub shipping_address: Address,
    /// How the buyer is reached.
    pub contact: Contact,
    /// How it is delivered; the recommended method otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryRequest>,
    /// Coupon codes as the buyer typed them, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Vouchers of the member's account, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<VoucherId>,
    /// Points that pay for goods: a number, or `"max"` for as many as may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsRequest>,
    /// The quote that the buyer agreed to: the order is placed at exactly
    /// this, or refused with the quote as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<QuoteId>,
    /// Whether it comes from the buyer's cart, which it then empties; a
    /// guest's cart is the one of the header `Cart-Token`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cart: bool,
    /// Through which channel it comes, such as `app`; price rules may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<40>>,
    /// What tells the buyer's device from others, as the client makes it out;
    /// risk rules may ask. Only a digest of it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Text<200>>,
    /// What tells the buyer's card from others, such as the fingerprint that a
    /// payment provider gives; risk rules may ask. Only a digest of it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Text<200>>,
    /// The country of the bill; risk rules may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_country: Option<Country>,
}

/// So many units of a SKU. Prices are the shop's word, not the client's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    /// What.
    pub sku: Sku,
    /// How many, 1 to 999.
    pub quantity: i64,
}

/// The body of `PUT /products/{sku}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutProduct {
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit, in minor units; zero is a price.
    pub price: Money,
    /// What rules ask about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub facts: ProductFacts,
    /// Who may buy it, and when; everybody at once otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: Access,
}

/// A product as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductView {
    /// Its SKU.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit.
    pub price: Money,
    /// What rules ask about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub facts: ProductFacts,
    /// Who may buy it, and when; everybody at once otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: Access,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        let Product { sku, title, price, facts, access } = product;
        Self { sku, title, price, facts, access }
    }
}
