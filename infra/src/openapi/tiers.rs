//! Where members stand among the tiers.

use aftercart_points::wire::membership::{GrantTier, GrantedTierView, MembershipView};
use schemars::SchemaGenerator;

use super::Shapes;

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "membership-view" => {
            let about = "The member's tier, how it is kept, and how the next one is reached.";
            let lang = "`en` or `zh`; the first of `Accept-Language` that there is otherwise.";
            Shapes::ok::<MembershipView>(of, about, &[400]).asking(("lang", lang))
        }
        "tier-grant" => {
            let about = "The member's tier, as it was earned and given.";
            Shapes::ok::<GrantedTierView>(of, about, &[400, 404]).taking::<GrantTier>(of)
        }
        _ => return None,
    })
}
