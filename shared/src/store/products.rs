//! The catalogue.

use serde::{Deserialize, Serialize};

use crate::model::{
    money::{Currency, Money},
    product::{Access, Product, ProductFacts, Sku},
    text::Text,
};

use super::{
    Found, Item, Key, Sends, StoreError, Write,
    item::{from_item, in_range, is_default, stored},
};

#[derive(Serialize, Deserialize)]
struct StoredProduct {
    v: u32,
    #[serde(skip_serializing)]
    pk: Sku,
    t: Text<80>,
    p: i64,
    c: Currency,
    #[serde(default, skip_serializing_if = "is_default")]
    f: ProductFacts,
    #[serde(default, skip_serializing_if = "is_default")]
    a: Access,
}
stored!(StoredProduct, "product", 1);

/// Writes a product whole; the last word of the shop counts.
#[must_use]
pub fn put(product: &Product) -> Write {
    let form = StoredProduct {
        v: 1,
        pk: product.sku.clone(),
        t: product.title.clone(),
        p: product.price.minor(),
        c: product.price.currency(),
        f: product.facts.clone(),
        a: product.access.clone(),
    };
    Write::put(Key::product(&product.sku), &form, &Sends::none())
}

/// The product in an item.
pub(super) fn product_from_item(item: &Item) -> Result<Product, StoreError> {
    let form: StoredProduct = from_item(item)?;
    let price = in_range("product", Money::new(form.p, form.c))?;
    Ok(Product { sku: form.pk, title: form.t, price, facts: form.f, access: form.a })
}

impl Found {
    /// The product, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn product(&self, sku: &Sku) -> Result<Option<Product>, StoreError> {
        self.item(&Key::product(sku)).map(product_from_item).transpose()
    }
}
