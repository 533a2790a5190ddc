//! Rewards and redemptions.

use aftercart::model::reward::Reward;
use aftercart_points::wire::reward::{
    FulfilRedemption, RedemptionFile, RedemptionFilePage, RedemptionPage, RedemptionView,
    ReturnRedemption, RewardCatalogue, RewardView, TakeReward,
};
use schemars::SchemaGenerator;

use super::Shapes;

pub(super) fn shapes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    Some(match operation {
        "reward-put" => Shapes::ok::<RewardView>(of, "The reward as it is now.", &[400, 404])
            .taking::<Reward>(of),
        "reward-catalogue" => {
            let about = "The rewards that have not ended, those first that end first.";
            Shapes::ok::<RewardCatalogue>(of, about, &[400])
        }
        "reward-redeem" => {
            let about = "The reward as it was taken, now or before.";
            Shapes::created::<RedemptionView>(of, about, &[400, 404, 409, 422])
                .taking::<TakeReward>(of)
                .keyed()
        }
        "redemption-list" => {
            let about = "A page of what the member took, latest first.";
            Shapes::ok::<RedemptionPage>(of, about, &[400]).paged()
        }
        "redemption-list-operator" => {
            let about = "A page of what waits for somebody, those first that were taken first.";
            Shapes::ok::<RedemptionFilePage>(of, about, &[400]).paged()
        }
        "redemption-change" => {
            Shapes::ok::<RedemptionFile>(of, "The redemption, fulfilled.", &[400, 404, 409])
                .taking::<FulfilRedemption>(of)
        }
        "redemption-change-return" => {
            Shapes::ok::<RedemptionFile>(of, "The redemption, taken back.", &[400, 404, 409])
                .taking::<ReturnRedemption>(of)
        }
        "redemption-change-cancellation" => {
            Shapes::ok::<RedemptionView>(of, "The redemption, called off.", &[404, 409])
        }
        _ => return None,
    })
}
