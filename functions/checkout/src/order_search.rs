//! `GET /operator/orders`: finds orders by number, by the buyer's e-mail
//! address, by customer, or those that are held.
//!
//! One query and one batched read a page. Numbers and e-mail addresses are
//! found a moment after the order was placed; listings by customer and of held
//! orders may lag a moment behind, too.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::{CustomerId, Email},
        id::OrderId,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
    },
    store::{Index, Key, Op, Page, PageToken, Table, lookups, lookups::Term, orders},
};

use crate::wire::search::{FoundOrder, FoundOrders};

/// A page of orders: at most what one batched read takes.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// What can be searched by; a call names one of them.
const FILTERS: [&str; 4] = ["order", "email", "customer", "held"];

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-search",
    about: "Finds orders by number, e-mail address or customer, or those that are held.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/orders")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Index(Table::Orders, Index::ByTime),
        Need::Index(Table::Orders, Index::ByDue),
        Need::Table(Table::Lookups, &[Op::Query]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// What is searched for.
enum Search {
    Term(Term),
    Customer(CustomerId),
    Held,
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, search))
}

async fn search(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let wanted = parse(&request)?;
    let cursor = match &wanted {
        Search::Term(_) => lookups::cursor,
        Search::Customer(_) => orders::cursor,
        Search::Held => orders::held_cursor,
    };
    let (from, limit) = request.filtered_page(&FILTERS, cursor, PAGE)?;
    let page = find(&app, &wanted, from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(|(buyer, order)| Key::order(buyer, order)).collect();
    let found = app.store.read(&keys).await?;
    let policy = app.policy().await?;
    let mut orders = Vec::with_capacity(page.items.len());
    for (buyer, order) in &page.items {
        let order = found.order(buyer, order)?;
        // The index lags: what was released since is not shown as held.
        let order = order.filter(|it| !matches!(wanted, Search::Held) || it.held_at.is_some());
        orders.extend(order.as_ref().map(|order| FoundOrder::of(order, &policy)));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &FoundOrders { orders, next_cursor })
}

fn parse(request: &Request) -> Result<Search, Problem> {
    let mut named = FILTERS.iter().filter_map(|name| Some((*name, request.query(name)?)));
    let (Some((name, value)), None) = (named.next(), named.next()) else {
        let detail = "Search by one of `order`, `email`, `customer` and `held=true`.";
        return Err(Problem::invalid("query", detail));
    };
    let wanted = match name {
        "order" => OrderId::parse(value).map(Term::Order).map(Search::Term).map_err(text),
        "email" => Email::parse(value).map(Term::Email).map(Search::Term).map_err(text),
        "customer" => CustomerId::parse(value).map(Search::Customer).map_err(text),
        _ if value == "true" => Ok(Search::Held),
        _ => Err("must be `true`".to_owned()),
    };
    wanted.map_err(|fault| Problem::invalid(name, format!("`{name}`: {fault}.")))
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

async fn find(
    app: &App,
    wanted: &Search,
    from: Option<&PageToken>,
    limit: u16,
) -> Result<Page<(CustomerId, OrderId)>, Failure> {
    Ok(match wanted {
        Search::Term(term) => app.store.orders_under(term, from, limit).await?,
        Search::Held => app.store.orders_held(from, limit).await?,
        Search::Customer(customer) => {
            let page = app.store.orders_of(customer, from, limit).await?;
            let items = page.items.into_iter().map(|order| (customer.clone(), order));
            Page { items: items.collect(), next: page.next }
        }
    })
}
