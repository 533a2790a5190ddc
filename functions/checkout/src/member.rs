//! The member whom a path names.

use aftercart::{
    model::customer::CustomerId,
    run::http::{Problem, Request},
};

/// The member in `{id}`.
///
/// # Errors
/// 404 for what names no member: of a guest nothing is kept but the order.
pub(crate) fn in_path(request: &Request) -> Result<CustomerId, Problem> {
    request.named("id", "member", |text| {
        CustomerId::parse(text).ok().filter(CustomerId::is_member).ok_or(())
    })
}
