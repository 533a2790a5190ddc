//! Gifts between members, draws of campaigns, and adjustments.

use aftercart_points::wire::{
    adjustment::{AdjustmentPage, AdjustmentView, AskAdjustment},
    draw::DrawView,
    gift::{GiftPage, GiftView, MakeGift},
};
use schemars::SchemaGenerator;

use super::Shapes;

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "points-gift" => {
            let about = "The gift as it was made; its points are held for it.";
            Shapes::created::<GiftView>(of, about, &[400, 409, 422]).taking::<MakeGift>(of).keyed()
        }
        "points-gift-get" => {
            let about = "A page of gifts that the member made or may accept, latest first.";
            Shapes::ok::<GiftPage>(of, about, &[400]).paged()
        }
        "points-gift-acceptance" => Shapes::ok::<GiftView>(of, "The gift, accepted.", &[404, 409]),
        "points-gift-refusal" => {
            Shapes::ok::<GiftView>(of, "The gift, refused or taken back.", &[404, 409])
        }
        "campaign-draw" => {
            let about = "What was drawn; the points may be spent at once.";
            Shapes::created::<DrawView>(of, about, &[400, 404, 409]).keyed()
        }
        "points-adjust" => {
            let about = "The adjustment: posted, or waiting for another operator.";
            Shapes::created::<AdjustmentView>(of, about, &[400, 404, 409, 422])
                .taking::<AskAdjustment>(of)
                .keyed()
        }
        "points-adjust-get" => {
            let about = "A page of the adjustments that wait, the oldest first.";
            Shapes::ok::<AdjustmentPage>(of, about, &[400]).paged()
        }
        "points-adjust-approval" => {
            Shapes::ok::<AdjustmentView>(of, "The adjustment, posted.", &[404, 409])
        }
        "points-adjust-refusal" => {
            Shapes::ok::<AdjustmentView>(of, "The adjustment, refused.", &[404, 409])
        }
        _ => return None,
    })
}
