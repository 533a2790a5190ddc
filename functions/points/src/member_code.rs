//! `GET /me/code`: what a member shows at a till, and how an app makes it
//! without a connection.
//!
//! The first call gives the member a number, once and for ever: the first of a
//! few that follow from who it is which nobody else has. Everything else is
//! derived, so nothing is kept of the codes that nobody used.

use std::sync::Arc;

use aftercart::{
    model::{customer::CustomerId, till::MemberNumber, time::Timestamp},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        links::Links,
        secrets::Secret,
    },
    store::{CommitError, Conflict, Op, Table, till},
};
use data_encoding::BASE32_NOPAD;
use qrcode::{QrCode, render::svg};

use crate::{
    rules::code::{self, Code},
    wire::channels::{CodeKey, MemberCodeView, OfflineCodes},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "member-code",
    about: "Shows the code by which a till knows a member.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/me/code")]),
    needs: &[Need::Table(Table::Points, &[Op::GetItem, Op::PutItem]), Need::Secret(Secret::Links)],
    handle,
};

/// How many numbers are tried for a member. One in a million finds the first
/// one taken; that all of them are does not happen.
const NUMBERS: u32 = 4;

/// How wide a QR code is at least, in pixels of the image.
const QR_WIDTH: u32 = 240;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, show))
}

async fn show(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    let links = app.links().await?;
    let number = number(&app, &customer).await?;
    let step = code::step(app.now());
    let view =
        view(&links, number, step).ok_or_else(|| Failure::bug("the time is out of range"))?;
    Response::json(200, &view?)
}

/// The member's number, which is given now if there is none.
async fn number(app: &App, customer: &CustomerId) -> Result<MemberNumber, Failure> {
    for taken in 0..NUMBERS {
        let number = MemberNumber::of(customer, taken);
        let mut owner = app.store.numbered(&number).await?;
        if owner.is_none() {
            owner = match app.store.commit(till::give_number(&number, customer)).await {
                Ok(()) => Some(customer.clone()),
                Err(CommitError::Lost(lost)) => {
                    Conflict::at(&lost, 0).map(till::member_from_item).transpose()?
                }
                Err(error) => return Err(error.into()),
            };
        }
        if owner.as_ref() == Some(customer) {
            return Ok(number);
        }
    }
    Err(Failure::bug(format!("{NUMBERS} numbers of a member belong to others")))
}

/// What is shown in a half minute. None past the end of the calendar.
fn view(links: &Links, number: MemberNumber, step: i64) -> Option<Result<MemberCodeView, Failure>> {
    let until = step.checked_add(1)?.checked_mul(code::STEP_S)?;
    let until = Timestamp::from_unix_seconds(until).ok()?;
    let block = code::block(step);
    let mut keys = Vec::new();
    for block in [block, block.checked_add(1)?] {
        let name = code::key_name(&number, block);
        let key = links.derived_keys(&name.each_ref().map(String::as_str)).into_iter().next()?;
        let (from, until) = (code::begins(block)?, code::begins(block.checked_add(1)?)?);
        keys.push((key, from, until));
    }
    let (key, _, _) = keys.first()?;
    let code = Code { number: number.clone(), digits: code::digits(key, step) }.written();
    let key = |(key, from, until): &(Vec<u8>, Timestamp, Timestamp)| CodeKey {
        key: BASE32_NOPAD.encode(key),
        from: *from,
        until: *until,
    };
    let offline = OfflineCodes {
        algorithm: "SHA256".to_owned(),
        digits: u8::try_from(code::DIGITS).ok()?,
        step_s: u32::try_from(code::STEP_S).ok()?,
        keys: keys.iter().map(key).collect(),
    };
    Some(picture(&code).map(|qr_svg| MemberCodeView { number, code, qr_svg, until, offline }))
}

/// A text as a QR code. Twenty digits take the smallest there is.
fn picture(text: &str) -> Result<String, Failure> {
    let code = QrCode::new(text).map_err(Failure::bug)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(QR_WIDTH, QR_WIDTH).build())
}
