//! What people do. Each act makes one errand of what everybody knows, or none
//! if there is nothing to do it with.

mod asking;
mod buying;
mod caring;
mod giving;
mod operating;
mod paying;
mod sending;

use crate::{book::Book, errand::Errand};

pub(crate) use paying::{Fate, report};
pub(crate) use sending::scan;

/// Something that somebody does.
pub(crate) type Act = fn(&mut Book) -> Option<Errand>;

/// What is done, and how often beside the others.
const ACTS: [(u32, &str, Act); 58] = [
    (120, "order", buying::order),
    (15, "order.again", buying::again),
    (8, "order.other", buying::other),
    (12, "quote", buying::quote),
    (12, "cart", buying::cart),
    (8, "cart.line", buying::cart_line),
    (4, "cart.merge", buying::cart_merge),
    (20, "order.see", buying::see),
    (18, "order.cancel", buying::cancel),
    (14, "units.cancel", buying::cancel_units),
    (8, "address", buying::readdress),
    (5, "share.start", buying::share_start),
    (5, "share.join", buying::share_join),
    (140, "pay", paying::start),
    (5, "pay.see", paying::see),
    (6, "pay.odd", paying::odd),
    (90, "label", sending::label),
    (90, "scan", sending::scanned),
    (8, "split", sending::split),
    (6, "void", sending::void),
    (6, "close", sending::close),
    (6, "replace", sending::replace),
    (6, "return", sending::give_back),
    (5, "track", sending::track),
    (25, "adjust", giving::adjust),
    (6, "adjust.decide", giving::decide),
    (18, "gift", giving::gift),
    (18, "gift.end", giving::gift_end),
    (18, "redeem", giving::redeem),
    (10, "redeem.off", giving::redeem_off),
    (8, "redeem.done", giving::redeem_done),
    (10, "draw", giving::draw),
    (10, "check-in", giving::check_in),
    (8, "review", giving::review),
    (8, "code", giving::code),
    (10, "till.hold", giving::till_hold),
    (12, "till.end", giving::till_end),
    (8, "till.buy", giving::till_buy),
    (6, "till.return", giving::till_return),
    (4, "link.code", giving::link_code),
    (5, "link", giving::link),
    (4, "link.undo", giving::link_undo),
    (5, "team", giving::team),
    (4, "points.see", giving::see),
    (70, "survey", asking::answer),
    (4, "mail.page", asking::page),
    (6, "prefer", asking::prefer),
    (22, "complain", caring::complain),
    (25, "ticket.do", caring::act),
    (12, "order.hold", operating::hold),
    (12, "order.release", operating::release),
    (14, "order.refund", operating::refund),
    (6, "order.stop", operating::cancel),
    (20, "stock", operating::stock),
    (8, "voucher", operating::voucher),
    (5, "tier", operating::tier),
    (12, "desk", operating::desk),
    (4, "look", operating::look),
];

/// Something that somebody does now.
pub(crate) fn draw(book: &mut Book) -> Option<Errand> {
    let sum: u32 = ACTS.iter().map(|(weight, ..)| weight).sum();
    let mut thrown = book.dice.between(0, sum.saturating_sub(1));
    for (weight, _, act) in ACTS {
        if thrown < weight {
            return act(book);
        }
        thrown -= weight;
    }
    None
}
