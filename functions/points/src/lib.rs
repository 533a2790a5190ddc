//! Points: what members earn, when it may be spent and when it ends.
//!
//! | function | trigger | reads | writes | sends |
//! |---|---|---|---|---|
//! | [`points_post`] | queue points: what orders, parcels, deeds and tickets do to points, and what follows from changes of ledgers | order, its shipments, ledger, member's record; entries and undone of what is not new; ticket | entries, undone, ledger, member's record, ticket | as every change of a ledger: `tier.changed`, `points.begun`, `points.earned`, `points.flowing`, news |
//! | [`points_settle`] | every five minutes | earnings and ledgers in which something is due | earnings, entries, ledger | as above |
//! | [`points_action`] | `POST /me/check-ins`, `POST /operator/points/actions` | ledger, deed, member's record | deed, entry, ledger | |
//! | [`points_estimate`] | `POST /points/estimate`, `POST /guest/points/estimate` | products, price rules, ledger, member's record | | |
//! | [`member_code`] | `GET /me/code` | | the member's number, once | |
//! | [`till`] | `POST /operator/till/members`, `.../holds`, `.../captures`, `.../voids`, `.../purchases`, `.../returns` | members' numbers, ledgers, member's record, holds, receipts | entries, ledger, hold, receipt, undone | `points.flowing` |
//! | [`account_link`] | `GET /me/link-code`, `POST /me/links`, `POST /me/links/{id}/undoing` | ledgers, what both gave, link | entries, ledgers, what the main one gave, link | `points.flowing`, `tier.changed`, `points.earned`, `notification.accounts_linked` |
//! | [`link_change`] | `POST /operator/links`, `GET /operator/customers/{id}/links`, `POST /operator/links/{id}/undoing` | ledgers, what both gave, links | entries, ledgers, what the main one gave, link | as above |
//! | [`points_view`] | `GET /me/points` | ledger, entries; ledgers of linked accounts | | |
//! | [`points_programme`] | `GET /points/programme`, `GET /me/points/offers` | ledger, rewards and how many of them a member has | | |
//! | [`points_page`] | `GET /m/{token}` | as the two before it | | |
//! | [`membership_view`] | `GET /me/membership` | ledger | | |
//! | [`tier_grant`] | `POST /operator/customers/{id}/tier` | ledger | ledger | `tier.changed`, `notification.tier_news` |
//! | [`points_gift`] | `POST /me/gifts`, `GET /me/gifts`, `POST /me/gifts/{id}/acceptance` and `/refusal` | gift, ledgers and records of both members | gift, entries, ledgers, records | `notification.gift_offered`, `notification.gift_ended` |
//! | [`campaign_draw`] | `POST /me/campaigns/{campaign}/draws` | the member's draws, profile and ledger, what is left of the campaign's points | draw, entry, ledger, what is left | |
//! | [`points_adjust`] | `POST /operator/customers/{id}/points/adjustments`, `GET /operator/points/adjustments`, `POST /operator/points/adjustments/{id}/approval` and `/refusal` | adjustment, ledger, what the operator decided alone | adjustment, entry, ledger | |
//! | [`reward_put`] | `PUT /rewards/{id}` | | reward | |
//! | [`reward_catalogue`] | `GET /rewards` | rewards | | |
//! | [`reward_redeem`] | `POST /me/redemptions` | reward, ledger, record of the member, order and its shipments | redemption, reward, ledger | `redemption.changed`, `notification.reward_taken` |
//! | [`redemption_list`] | `GET /me/redemptions`, `GET /operator/redemptions` | redemptions | | |
//! | [`redemption_change`] | `POST /me/redemptions/{id}/cancellation`, `POST /operator/redemptions/{id}/fulfilment` and `/return` | redemption | redemption, reward, voucher | `redemption.changed`, `notification.reward_stopped` |
//! | [`team_change`] | `POST /me/teams`, `POST` and `DELETE /me/teams/{team}/members`, `PUT /me/contests/{contest}/name` | ledger, member in the contest, team | member in the contest, team | |
//! | [`contest_view`] | `GET /contests/{contest}`, `GET /me/teams/{team}/members` | ledger, those who compete | | |
//! | [`contest_end`] | every 15 minutes | those who compete, outcome, ledgers | outcome, entries, ledgers | |
//! | [`points_tally`] | every 15 minutes | register, ledgers | tally | |
//! | [`points_report`] | `GET /operator/points/liability` | tally | | |
//! | [`points_audit`] | `GET /operator/customers/{id}/points/audit` | ledger, entries | | |
//!
//! Points of a paid order are pending. Their clock starts when the parcel
//! arrives, and stops if it goes back before they mature; when the return
//! window ends they become available, and at the end of their life they
//! expire. Points that are to pay for an order are held by the transaction
//! that places it, and spent when it is paid. When a paid order is called off,
//! or units of it, what those earned is taken back and what paid for them
//! comes back. Every movement is an entry, written in one commit with the ledger
//! that it changes, so that neither is ever without the other.

pub mod points_post;

pub mod points_settle;

pub mod points_view;

pub mod points_programme;

pub mod points_page;

pub mod pages;

pub mod membership_view;

pub mod tier_grant;

pub mod points_action;

pub mod points_estimate;

pub mod member_code;

pub mod till;

pub mod account_link;

pub mod link_change;

pub mod reward_put;

pub mod reward_catalogue;

pub mod reward_redeem;

pub mod redemption_list;

pub mod redemption_change;

pub mod points_gift;

pub mod campaign_draw;

pub mod points_adjust;

pub mod team_change;

pub mod contest_view;

pub mod contest_end;

pub mod points_tally;

pub mod points_report;

pub mod points_audit;

pub mod rules;

pub mod wire;

mod acting;

mod linking;

mod account;

mod tiering;

mod posting;

mod looking;

mod redeeming;

mod remedying;

mod ranks;

mod scoring;

mod soundness;

use aftercart::run::Function;

/// The functions of this domain.
pub const FUNCTIONS: &[Function] = &[
    points_post::FUNCTION,
    points_settle::FUNCTION,
    points_view::FUNCTION,
    points_programme::FUNCTION,
    points_page::FUNCTION,
    membership_view::FUNCTION,
    tier_grant::FUNCTION,
    points_action::FUNCTION,
    points_estimate::FUNCTION,
    member_code::FUNCTION,
    till::FUNCTION,
    account_link::FUNCTION,
    link_change::FUNCTION,
    points_gift::FUNCTION,
    campaign_draw::FUNCTION,
    points_adjust::FUNCTION,
    reward_put::FUNCTION,
    reward_catalogue::FUNCTION,
    reward_redeem::FUNCTION,
    redemption_list::FUNCTION,
    redemption_change::FUNCTION,
    team_change::FUNCTION,
    contest_view::FUNCTION,
    contest_end::FUNCTION,
    points_tally::FUNCTION,
    points_report::FUNCTION,
    points_audit::FUNCTION,
];
