//! Typed identities. Each kind has its prefix, so that an identity read in a
//! log says what it names, and one kind is never taken for another.
//!
//! Identities are derived from what caused the thing they name, never drawn:
//! the same cause gives the same identity, and "put if absent" under it is the
//! whole of idempotency.

use super::{digest, text::written};

/// Why a text is not an identity of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identity of this kind is `{prefix}` and 26 characters of a-z and 2-7")]
pub struct IdError {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        written! { $(#[$doc])* $name, IdError }

        impl $name {
            /// What every identity of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The identity that follows from its cause.
            #[must_use]
            pub fn derive(cause: &[&str]) -> Self {
                let parts: Vec<&[u8]> = cause.iter().map(|part| part.as_bytes()).collect();
                Self(format!("{}{}", $prefix, digest::short(&parts)))
            }

            /// The identity written as `text`.
            ///
            /// # Errors
            /// When the text is not of this kind.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                match text.strip_prefix($prefix) {
                    Some(rest) if digest::is_short(rest) => Ok(Self(text.to_owned())),
                    _ => Err(IdError { prefix: $prefix }),
                }
            }
        }
    )*};
}

ids! {
    /// An order; derived from its buyer and the buyer's idempotency key.
    OrderId = "ord_";
    /// An attempt to pay an order; derived from the order and the key of the attempt.
    PaymentId = "pay_";
    /// A parcel's journey to the buyer; derived from the order and its number among the order's.
    ShipmentId = "shp_";
    /// A movement of points; derived from its cause and rule.
    EntryId = "ent_";
    /// An invitation to answer a survey; derived from the touchpoint and its cause.
    InviteId = "inv_";
    /// A movement of goods into, out of or inside the stock; derived from the SKU and the key of the call.
    MovementId = "mov_";
    /// A voucher of a member; derived from the member and the key of the call.
    VoucherId = "vch_";
    /// A cart; derived from its owner.
    CartId = "crt_";
    /// An offer that a member shares; derived from the campaign and the member.
    ShareId = "shr_";
    /// A quote; derived from everything that it says.
    QuoteId = "qte_";
    /// Money to give back; derived from the order and what caused it.
    RefundId = "rfd_";
    /// Something about payments that waits for a person; derived from its reason and what it is about.
    CaseId = "cas_";
    /// Something about a delivery that somebody sees to; derived from the shipment and what is wrong.
    AlertId = "alt_";
    /// A reward that a member took for points; derived from the member and the key of the call.
    RedemptionId = "rdm_";
    /// Points that a member gives to another; derived from the giver and the key of the call.
    GiftId = "gft_";
    /// Points that are held for a till; derived from the till's key.
    HoldId = "hld_";
    /// Points that an operator gives or takes; derived from the member and the key of the call.
    AdjustmentId = "adj_";
    /// Two accounts of one person; derived from both, and how often they were linked.
    LinkId = "lnk_";
    /// A team of a contest; derived from its founder and the contest.
    TeamId = "tem_";
    /// What a customer is unhappy about; derived from the answer or the call that it came from.
    TicketId = "tkt_";
    /// A message to a system of the merchant; derived from what it tells of.
    WebhookId = "whm_";
    /// A message between functions; derived from what it says.
    MessageId = "msg_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_cause_is_the_same_identity() {
        let first = OrderId::derive(&["cus_1", "key"]);
        assert_eq!(first, OrderId::derive(&["cus_1", "key"]));
        assert_ne!(first, OrderId::derive(&["cus_1k", "ey"]));
        assert_eq!(OrderId::parse(first.as_str()), Ok(first));
    }

    #[test]
    fn the_wrong_kind_is_refused() {
        let order = OrderId::derive(&["a"]);
        assert!(PaymentId::parse(order.as_str()).is_err());
        for text in ["", "ord_", "ord_ABC", "ord_aaaaaaaaaaaaaaaaaaaaaaaaa1"] {
            assert!(OrderId::parse(text).is_err(), "{text}");
        }
    }
}
