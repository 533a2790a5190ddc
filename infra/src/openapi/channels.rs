//! Tills of stores, and accounts that are linked.

use aftercart_points::wire::channels::{
    CaptureHold, HoldPoints, LinkAccount, LinkAccounts, LinkCodeView, LinkFile, LinkList, LinkView,
    MemberCodeView, ReadCode, RecordReceipt, ReturnReceipt, ReturnView, StoreReceiptView,
    TillHoldView, TillMemberView, UndoLink, VoidHold,
};
use schemars::SchemaGenerator;

use super::Shapes;

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "member-code" => Shapes::ok::<MemberCodeView>(of, "What the member shows at a till.", &[]),
        "till" => {
            let about = "The member who showed the code.";
            Shapes::ok::<TillMemberView>(of, about, &[400, 422, 429]).taking::<ReadCode>(of)
        }
        "till-holds" => {
            let about = "The points that are held.";
            Shapes::created::<TillHoldView>(of, about, &[400, 409, 422, 429])
                .taking::<HoldPoints>(of)
                .keyed()
        }
        "till-captures" => {
            let about = "The hold with what was spent of it.";
            Shapes::ok::<TillHoldView>(of, about, &[400, 404, 409]).taking::<CaptureHold>(of)
        }
        "till-voids" => {
            let about = "The hold that was given up.";
            Shapes::ok::<TillHoldView>(of, about, &[400, 404, 409]).taking::<VoidHold>(of)
        }
        "till-purchases" => {
            let about = "What the receipt earned.";
            Shapes::created::<StoreReceiptView>(of, about, &[400, 409, 422, 429])
                .taking::<RecordReceipt>(of)
        }
        "till-returns" => {
            let about = "What all returns of the receipt did to points.";
            Shapes::ok::<ReturnView>(of, about, &[400, 404, 409]).taking::<ReturnReceipt>(of)
        }
        "account-link" => {
            let about = "The link.";
            Shapes::created::<LinkView>(of, about, &[400, 409, 422]).taking::<LinkAccount>(of)
        }
        "account-link-link-code" => {
            let about = "What is entered in the account that is to have the points.";
            Shapes::ok::<LinkCodeView>(of, about, &[])
        }
        "account-link-undoing" => {
            let about = "The link that was undone.";
            Shapes::ok::<LinkView>(of, about, &[404, 409])
        }
        "link-change" => {
            let about = "The link.";
            Shapes::created::<LinkFile>(of, about, &[400, 409]).taking::<LinkAccounts>(of)
        }
        "link-change-get" => {
            Shapes::ok::<LinkList>(of, "The links of the account that hold now.", &[404])
        }
        "link-change-undoing" => {
            let about = "The link that was undone.";
            Shapes::ok::<LinkFile>(of, about, &[400, 404, 409]).taking::<UndoLink>(of)
        }
        _ => return None,
    })
}
