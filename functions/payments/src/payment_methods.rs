//! `GET /orders/{id}/payment-methods` and the guests' route: in which ways an
//! order may be paid, one of them recommended.
//!
//! One batched read of the order and of how the calls to providers went of
//! late. Nothing is written: a total in another currency is quoted by a signed
//! token that holds the shop to it for a while. An order that cannot be paid
//! is refused as `POST /orders/{id}/payments` refuses it.

use std::sync::Arc;

use aftercart::{
    model::{exchange::Quoted, payment::Instalments},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        links::{Links, RateQuote},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    rules::methods::{self, Offer},
    ways::{self, Known},
    wire::{InstalmentOption, PaymentMethodView, PaymentMethods, QuotedAmount},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-methods",
    about: "Lists the ways to pay an order, one of them recommended.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/orders/{id}/payment-methods"),
        Route::open("GET", "/guest/orders/{id}/payment-methods"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Payments, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
        Need::Secret(Secret::Payments),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let (policy, rates) = app.paying_terms().await?;
    let known = ways::read(&app, &buyer, &policy.payments, None).await?;
    methods::payable(&known.order, known.now).map_err(|why| ways::unpayable(&why))?;
    let quotes = rates.quotes(known.order.total, known.now);
    let offers = methods::offers(&known.shop(&policy.payments), &known.order, &quotes);
    let links = match quotes.as_slice() {
        [] => None,
        _ => Some(app.links().await?),
    };
    let methods = offers.iter().map(|offer| view(&known, offer, links.as_ref())).collect();
    Response::json(200, &PaymentMethods { amount: known.order.total, methods })
}

fn view(known: &Known, offer: &Offer, links: Option<&Links>) -> PaymentMethodView {
    let total = known.order.total;
    let options = |amount, of: &[Instalments]| -> Vec<InstalmentOption> {
        of.iter().map(|it| InstalmentOption::of(amount, *it)).collect()
    };
    let quoted = |(quote, instalments): &(Quoted, Vec<Instalments>)| {
        let Quoted { charge, rate, rate_at, margin_bp, until } = *quote;
        let order = known.order.id.clone();
        let promise = RateQuote { order, settles: total, charge, rate };
        Some(QuotedAmount {
            amount: charge,
            rate,
            rate_at,
            margin_bp,
            until,
            rate_quote: links?.rate_quote(&promise, until),
            instalments: options(charge, instalments),
        })
    };
    PaymentMethodView {
        method: offer.method,
        provider: offer.provider,
        flows: offer.flows.clone(),
        amount: offer.own.as_ref().map(|_| total),
        instalments: offer.own.as_deref().map_or_else(Vec::new, |own| options(total, own)),
        other_currencies: offer.others.iter().filter_map(quoted).collect(),
        pay_later: offer.pay_later,
        available: offer.shut_until.is_none(),
        available_at: offer.shut_until,
        recommended: offer.recommended,
    }
}
