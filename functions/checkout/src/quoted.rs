//! A quote as its buyer sees it.

use aftercart::model::{
    customer::Language,
    delivery::MethodKind,
    money::{Money, MoneyError},
    offers::OffersPolicy,
    price::Title,
    product::Sku,
    text::Text,
};
use aftercart_pricing::{
    delivery,
    goods::{self, Applied, Kind, Line, Near, Reason, Wanted},
};

use crate::{
    rules::{
        access::AccessRefusal,
        quote::{self, Basket, Facts, Quote, Terms, Unapplied},
        stock::{MAX_TAKES, Unplanned},
    },
    wire::quote::{
        DeliveryOptionView, DeliveryView, DiscountView, NearlyView, NotApplied, Obstacle,
        ObstacleReason, PartView, QuoteLine, QuotePointsView, QuoteView, RelatedView, TaxRateView,
        TaxView,
    },
};

/// What a quote is shown with.
pub(crate) struct Shown<'a> {
    pub(crate) basket: &'a Basket,
    pub(crate) facts: &'a Facts,
    pub(crate) terms: Terms<'a>,
    pub(crate) language: Language,
    /// What was bought together with the basket's goods, most often first.
    pub(crate) related: Vec<(Sku, Text<80>, u64)>,
}

/// The quote as its buyer sees it.
pub(crate) fn view(quote: &Quote, shown: &Shown<'_>) -> Result<QuoteView, MoneyError> {
    let offers = &shown.terms.policy.offers;
    Ok(QuoteView {
        id: quote.id(),
        lines: lines(quote),
        discounts: discounts(quote, shown.language)?,
        subtotal: quote.goods.total,
        delivery: delivered(quote)?,
        delivery_options: options(quote, shown),
        tax: taxes(quote)?,
        points: points(quote, shown),
        total: quote.total,
        not_applied: quote.not_applied.iter().map(|it| not_applied(quote, it)).collect(),
        obstacles: obstacles(quote),
        nearly: nearly(quote, offers, shown.language),
        related: related(quote, offers, shown),
        price_rules: quote.goods.version.clone(),
        policy: shown.terms.policy.version.clone(),
    })
}

fn lines(quote: &Quote) -> Vec<QuoteLine> {
    let priced = quote.goods.lines.iter().zip(quote.taxes()).zip(&quote.offset_shares);
    priced.map(|((priced, tax), points)| line(priced, tax, *points)).collect()
}

fn line(line: &Line, tax: Money, points: Money) -> QuoteLine {
    let part = |part: &goods::Part| PartView {
        quantity: part.quantity,
        unit_price: part.unit,
        rule: part.rule.clone(),
    };
    let by_rule = line.parts.iter().any(|part| part.rule.is_some());
    QuoteLine {
        sku: line.good.sku.clone(),
        title: line.good.title.clone(),
        quantity: line.quantity,
        unit_price: line.good.list,
        prices: line.parts.iter().filter(|_| by_rule).map(part).collect(),
        list: line.list,
        discount: line.discount,
        total: line.total,
        tax,
        points,
        gift: line.gift.clone(),
    }
}

fn text(title: &Title, language: Language) -> String {
    title.text(language).to_owned()
}

fn discounts(quote: &Quote, language: Language) -> Result<Vec<DiscountView>, MoneyError> {
    let of_goods = |applied: &Applied| {
        let cut = applied.cut_by_floor.plus(applied.cut_by_maximum)?;
        Ok(DiscountView {
            rule: applied.rule.clone(),
            title: text(&applied.title, language),
            kind: applied.kind.to_string(),
            amount: applied.amount,
            shares: applied.shares.clone(),
            cut: (cut.minor() > 0).then_some(cut),
        })
    };
    let mut views: Vec<DiscountView> =
        quote.goods.applied.iter().map(of_goods).collect::<Result<_, _>>()?;
    let of_delivery = quote.delivery.iter().filter_map(|chosen| chosen.discount.as_ref());
    views.extend(of_delivery.map(|discount| DiscountView {
        rule: discount.rule.clone(),
        title: text(&discount.title, language),
        kind: discount.kind.to_string(),
        amount: discount.amount,
        shares: Vec::new(),
        cut: None,
    }));
    Ok(views)
}

fn delivered(quote: &Quote) -> Result<Option<DeliveryView>, MoneyError> {
    let Some(chosen) = &quote.delivery else { return Ok(None) };
    Ok(Some(DeliveryView {
        method: chosen.option.method.clone(),
        price: chosen.price,
        discount: chosen.price.minus(chosen.charge()?)?,
        tax: quote.delivery_tax()?,
        points: chosen.points,
        promise: chosen.option.promise,
    }))
}

fn options(quote: &Quote, shown: &Shown<'_>) -> Vec<DeliveryOptionView> {
    let recommended = quote::recommended(&quote.options, shown.facts.profile.as_ref());
    let recommended = recommended.map(|it| &it.method);
    let view = |option: &delivery::DeliveryOption| DeliveryOptionView {
        method: option.method.clone(),
        title: text(&option.title, shown.language),
        kind: option.kind,
        location: (option.kind == MethodKind::Pickup).then(|| option.location.clone()),
        price: option.price,
        points: option.points,
        promise: option.promise,
        recommended: Some(&option.method) == recommended,
    };
    quote.options.iter().map(view).collect()
}

fn taxes(quote: &Quote) -> Result<Option<TaxView>, MoneyError> {
    let Some(taxed) = &quote.tax else { return Ok(None) };
    let mut rates: Vec<TaxRateView> = Vec::new();
    for tax in taxed.lines.iter().chain(&taxed.shipping) {
        let Some(title) = &tax.title else { continue };
        match rates.iter_mut().find(|it| it.rate == tax.rate && it.title == *title) {
            Some(rate) => rate.amount = rate.amount.plus(tax.amount)?,
            None => {
                rates.push(TaxRateView { title: title.clone(), rate: tax.rate, amount: tax.amount })
            }
        }
    }
    Ok(Some(TaxView { included: taxed.included, total: taxed.total, rates }))
}

fn points(quote: &Quote, shown: &Shown<'_>) -> Option<QuotePointsView> {
    let asked = shown.basket.points.is_some() || shown.basket.delivery_with_points;
    let nothing = Money::zero(quote.goods.currency);
    asked.then(|| QuotePointsView {
        spendable: shown.facts.spendable,
        used: quote.points(),
        amount: quote.offset.as_ref().map_or(nothing, |it| it.amount),
    })
}

fn not_applied(quote: &Quote, unapplied: &Unapplied) -> NotApplied {
    let mut view = NotApplied {
        code: None,
        voucher: None,
        rule: None,
        reason: String::new(),
        detail: String::new(),
        missing: None,
    };
    match unapplied {
        Unapplied::Points(refusal) => {
            view.reason = "points".to_owned();
            view.detail = refusal.to_string();
        }
        Unapplied::Voucher { voucher, reason } => {
            view.voucher = Some(voucher.clone());
            (view.reason, view.detail) = (reason.as_str().to_owned(), reason.to_string());
        }
        Unapplied::Offer { asked, voucher, rule, reason } => {
            if let Wanted::Code(code) = asked {
                view.code = Some(code.as_str().to_owned());
            }
            view.voucher = voucher.clone();
            view.rule = rule.clone();
            (view.reason, view.detail) = (reason.as_str().to_owned(), reason.to_string());
            if let Reason::Minimum { missing } = reason {
                view.missing = Money::new(*missing, quote.goods.currency).ok();
            }
        }
    }
    view
}

/// The field of the first thing that the buyer asked for and does not get.
pub(crate) fn first_asked(quote: &Quote, basket: &Basket) -> Option<String> {
    let place = |it: &Unapplied| match it {
        Unapplied::Points(_) => Some("points".to_owned()),
        Unapplied::Voucher { voucher, .. } | Unapplied::Offer { voucher: Some(voucher), .. } => {
            let number = basket.vouchers.iter().position(|named| named == voucher)?;
            Some(format!("vouchers[{number}]"))
        }
        Unapplied::Offer { asked: Wanted::Code(code), .. } => {
            let number = basket.codes.iter().position(|typed| typed == code)?;
            Some(format!("codes[{number}]"))
        }
        Unapplied::Offer { .. } => None,
    };
    quote.not_applied.iter().find_map(place)
}

/// What keeps an order from being placed.
pub(crate) fn obstacles(quote: &Quote) -> Vec<Obstacle> {
    let sku = |line: usize| quote.goods.lines.get(line).map(|it| it.good.sku.clone());
    let closed = quote.closed.iter().filter_map(|(line, refusal)| {
        let reason = match refusal {
            AccessRefusal::Tiers { .. } => ObstacleReason::NotForYou,
            AccessRefusal::NotYet { .. } => ObstacleReason::NotOnSaleYet,
        };
        Some(Obstacle {
            line: *line,
            sku: sku(*line)?,
            reason,
            detail: refusal.to_string(),
            available: None,
        })
    });
    let short: Vec<Obstacle> = match &quote.plan {
        Ok(_) => Vec::new(),
        Err(Unplanned::Scattered) => scattered(quote).into_iter().collect(),
        Err(Unplanned::Short(short)) => short
            .iter()
            .filter_map(|short| {
                let available = short.available.max(0);
                Some(Obstacle {
                    line: short.line,
                    sku: sku(short.line)?,
                    reason: ObstacleReason::OutOfStock,
                    detail: format!("{available} left."),
                    available: Some(available),
                })
            })
            .collect(),
    };
    closed.chain(short).collect()
}

fn scattered(quote: &Quote) -> Option<Obstacle> {
    let line = quote.goods.lines.first()?;
    Some(Obstacle {
        line: 0,
        sku: line.good.sku.clone(),
        reason: ObstacleReason::Scattered,
        detail: format!("The goods lie in more than {MAX_TAKES} places; order fewer at once."),
        available: None,
    })
}

/// Thresholds that are near enough to be worth saying.
fn nearly(quote: &Quote, offers: &OffersPolicy, language: Language) -> Vec<NearlyView> {
    let most = offers.nearly.get(&quote.goods.currency).copied().unwrap_or(0);
    let near = |near: &&Near| near.missing.minor() <= most;
    let view = |near: &Near| NearlyView {
        rule: near.rule.clone(),
        title: text(&near.title, language),
        kind: Kind::to_string(&near.kind),
        missing: near.missing,
    };
    quote.goods.near.iter().filter(near).map(view).collect()
}

/// Goods beside a cart that is worth it: others are not disturbed.
fn related(quote: &Quote, offers: &OffersPolicy, shown: &Shown<'_>) -> Vec<RelatedView> {
    let Some(policy) = &offers.related else { return Vec::new() };
    let from = policy.above.get(&quote.goods.currency).copied();
    if from.is_none_or(|from| quote.goods.total.minor() < from) {
        return Vec::new();
    }
    let most = usize::from(policy.most);
    let often = shown.related.iter().filter(|(_, _, orders)| *orders >= policy.at_least);
    let view = |(sku, title, orders): &(Sku, Text<80>, u64)| RelatedView {
        sku: sku.clone(),
        title: title.clone(),
        orders: *orders,
    };
    often.take(most).map(view).collect()
}
