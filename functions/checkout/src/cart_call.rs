//! What the calls of a cart have in common: whose it is, and how it is shown.

use aftercart::{
    model::cart::{Cart, CartOwner, CartToken},
    run::{
        App, Failure,
        http::{CART_TOKEN, Problem, Request},
    },
    store::Key,
};

use crate::{rules::cart::Refusal, wire::cart::CartView};

/// Whose cart a call is about: the member's of the token, or, on the guests'
/// routes, that of the header `Cart-Token`.
///
/// # Errors
/// 401 without a member's token, 400 at `Cart-Token`.
pub(crate) fn owner(request: &Request) -> Result<CartOwner, Problem> {
    match request.is_guest() {
        true => token(request).map(CartOwner::Guest),
        false => request.member().map(CartOwner::Member),
    }
}

/// The header `Cart-Token`.
///
/// # Errors
/// 400 when it is missing or has not its form.
pub(crate) fn token(request: &Request) -> Result<CartToken, Problem> {
    let Some(token) = request.header(CART_TOKEN) else {
        let detail = "The header Cart-Token is missing. Draw a random key, such as a UUID, for \
                      a guest's cart, and send it with every call of that cart.";
        return Err(Problem::invalid("Cart-Token", detail));
    };
    let problem = |error| Problem::invalid("Cart-Token", format!("The header Cart-Token {error}."));
    CartToken::parse(token).map_err(problem)
}

/// A cart with the products of its lines as they are now.
pub(crate) async fn view(app: &App, cart: &Cart) -> Result<CartView, Failure> {
    let lines = &cart.content.lines;
    let keys: Vec<Key> = lines.iter().map(|line| Key::product(&line.sku)).collect();
    let found = app.store.read(&keys).await?;
    let products: Result<Vec<_>, _> = lines.iter().map(|line| found.product(&line.sku)).collect();
    Ok(CartView::of(cart, products?))
}

/// A refusal with the field at fault.
pub(crate) fn refuse(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Codes => Problem::invalid("codes", detail),
        Refusal::RepeatedCode { place, .. } => Problem::invalid(format!("codes[{place}]"), detail),
        Refusal::NoContact => Problem::invalid("contact", detail),
        Refusal::Quantity => Problem::invalid("quantity", detail),
        Refusal::Full => Problem::new(409, "cart-full", "The cart is full", detail).at("sku"),
    }
}
