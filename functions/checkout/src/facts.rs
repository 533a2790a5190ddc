//! What has to be read before a basket can be priced, in one batch.

use aftercart::{
    model::{product::Sku, stock::LocationId},
    store::{Found, Key, Store, StoreError, quotas, stock},
};

use crate::rules::quote::{self, Basket, Facts, Terms};

/// What is read for a basket.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Where it lies.
    pub(crate) keys: Vec<Key>,
    skus: Vec<(Sku, u8)>,
    candidates: aftercart_pricing::goods::Candidates,
    locations: Vec<LocationId>,
}

/// What has to be read for a basket.
pub(crate) fn reading(basket: &Basket, terms: &Terms<'_>) -> Reading {
    let candidates = quote::candidates(basket, terms);
    let locations = quote::locations(basket, terms.policy);
    let mut keys = Vec::new();
    let skus = basket.lines.iter().map(|line| &line.sku).chain(&candidates.gifts);
    let skus: Vec<(Sku, u8)> =
        skus.map(|sku| (sku.clone(), terms.policy.stock.shards(sku))).collect();
    keys.extend(skus.iter().map(|(sku, _)| Key::product(sku)));
    keys.extend(stock::level_keys(&skus, &locations));
    keys.extend(candidates.quotas.iter().flat_map(quotas::keys));
    if let Some(member) = &basket.member {
        keys.push(Key::profile(member));
        keys.extend(basket.vouchers.iter().map(|id| Key::voucher(member, id)));
        if basket.points.is_some() || basket.delivery_with_points {
            keys.push(Key::ledger(member));
        }
    }
    Reading { keys, skus, candidates, locations }
}

impl Reading {
    /// What was found, as the rules take it. Points are those of the account into
    /// which the buyer's is linked, which is read then, if it is. There are none
    /// if that was undone between both reads.
    pub(crate) async fn facts(
        &self,
        store: &Store,
        basket: &Basket,
        found: &Found,
    ) -> Result<Facts, StoreError> {
        let mut facts = Facts::default();
        for (sku, _) in &self.skus {
            if let Some(product) = found.product(sku)? {
                facts.products.insert(sku.clone(), product);
            }
        }
        facts.levels = found.levels(&self.skus, &self.locations)?;
        for quota in &self.candidates.quotas {
            facts.uses.note(quota, found.used(quota)?);
        }
        if let Some(member) = &basket.member {
            facts.profile = Some(found.profile(member)?);
            for id in &basket.vouchers {
                if let Some(voucher) = found.voucher(member, id)? {
                    facts.vouchers.insert(id.clone(), voucher);
                }
            }
            let own = found.ledger(member)?;
            facts.spendable = own.holdable();
            if let Some((payer, _)) = own.link.into {
                let payers = store.read(&[Key::ledger(&payer)]).await?.ledger(&payer)?;
                let pays = payers.link.from.contains(member);
                facts.spendable = if pays { payers.holdable() } else { 0 };
                facts.payer = pays.then_some(payer);
            }
        }
        facts.gifts.clone_from(&self.candidates.gifts);
        facts.quotas.clone_from(&self.candidates.quotas);
        Ok(facts)
    }
}
