//! What quotes and orders ask alike: a basket, read from a request.

use aftercart::{
    model::{
        cart::CartLine,
        customer::{Contact, CustomerId},
        delivery::MethodId,
        id::VoucherId,
        price::Code,
        text::Text,
    },
    run::http::Problem,
};
use aftercart_pricing::goods::{MAX_COUPONS, PriceError};

use crate::{
    rules::{
        self,
        lines::LinesRefusal,
        points::PointsAsked,
        quote::{self, Basket, Destination, Refusal},
    },
    wire::{
        LineRequest,
        quote::{DeliveryRequest, PlaceRequest, PointsRequest},
    },
};

/// The parts of a request that make a basket.
pub(crate) struct Asking {
    pub(crate) member: Option<CustomerId>,
    pub(crate) lines: Vec<LineRequest>,
    pub(crate) destination: Option<Destination>,
    pub(crate) delivery: Option<DeliveryRequest>,
    pub(crate) codes: Vec<String>,
    pub(crate) vouchers: Vec<VoucherId>,
    pub(crate) points: Option<PointsRequest>,
    pub(crate) channel: Option<Text<40>>,
}

impl Asking {
    /// The basket.
    ///
    /// # Errors
    /// 400 that names the field.
    pub(crate) fn basket(self, contact: Option<&Contact>) -> Result<Basket, Problem> {
        let email = contact.map(|contact| contact.email.as_str());
        if self.member.is_none() {
            only_members("vouchers", !self.vouchers.is_empty())?;
            only_members("points", self.points.is_some())?;
            let with_points = self.delivery.as_ref().is_some_and(|it| it.with_points);
            only_members("delivery.with_points", with_points)?;
        }
        let (method, delivery_with_points) = method(self.delivery);
        Ok(Basket {
            counted_as: quote::counted_as(self.member.as_ref(), email),
            lines: lines(self.lines)?,
            codes: codes(&self.codes)?,
            vouchers: vouchers(self.vouchers)?,
            points: self.points.map(points),
            member: self.member,
            destination: self.destination,
            method,
            delivery_with_points,
            channel: self.channel,
        })
    }
}

fn only_members(field: &'static str, asked: bool) -> Result<(), Problem> {
    match asked {
        false => Ok(()),
        true => Err(Problem::invalid(field, "Only members have these; sign in, or leave it out.")),
    }
}

fn method(asked: Option<DeliveryRequest>) -> (Option<MethodId>, bool) {
    asked.map_or((None, false), |it| (Some(it.method), it.with_points))
}

fn points(asked: PointsRequest) -> PointsAsked {
    match asked {
        PointsRequest::Most(_) => PointsAsked::Most,
        PointsRequest::Exactly(points) => PointsAsked::Exactly(i64::from(points)),
    }
}

fn lines(asked: Vec<LineRequest>) -> Result<Vec<CartLine>, Problem> {
    let asked = asked.into_iter().map(|line| (line.sku, line.quantity)).collect();
    let lines = rules::lines::lines(asked).map_err(|refusal| malformed(&refusal))?;
    match lines.is_empty() {
        true => Err(Problem::invalid("lines", "There must be at least one line.")),
        false => Ok(lines),
    }
}

/// Lines that nobody can take, as an answer.
pub(crate) fn malformed(refusal: &LinesRefusal) -> Problem {
    Problem::invalid(refusal.field(), refusal.to_string())
}

fn codes(typed: &[String]) -> Result<Vec<Code>, Problem> {
    if typed.len() > MAX_COUPONS {
        let detail = format!("An order takes at most {MAX_COUPONS} codes.");
        return Err(Problem::invalid("codes", detail));
    }
    let code = |(number, typed): (usize, &String)| {
        let problem = |error| Problem::invalid(format!("codes[{number}]"), format!("It {error}."));
        Code::parse(typed).map_err(problem)
    };
    let codes: Vec<Code> = typed.iter().enumerate().map(code).collect::<Result<_, _>>()?;
    once("codes", &codes)?;
    Ok(codes)
}

/// Nothing is named twice.
fn once<T: PartialEq>(field: &str, named: &[T]) -> Result<(), Problem> {
    let earlier = |n: usize| named.iter().take(n).any(|it| named.get(n) == Some(it));
    match (0..named.len()).find(|n| earlier(*n)) {
        None => Ok(()),
        Some(n) => {
            Err(Problem::invalid(format!("{field}[{n}]"), "It is named twice; name it once."))
        }
    }
}

fn vouchers(named: Vec<VoucherId>) -> Result<Vec<VoucherId>, Problem> {
    if named.len() > MAX_COUPONS {
        let detail = format!("An order takes at most {MAX_COUPONS} vouchers.");
        return Err(Problem::invalid("vouchers", detail));
    }
    once("vouchers", &named)?;
    Ok(named)
}

/// A place that somebody names for a quote.
pub(crate) fn destination(place: PlaceRequest) -> Destination {
    let PlaceRequest { country, region, postal_code } = place;
    Destination { country, region, postal_code }
}

/// Why a basket has no price, as an answer; `place` is the field that names
/// where the goods go.
pub(crate) fn refuse(refusal: &Refusal, place: &str) -> Problem {
    let detail = refusal.to_string();
    let impossible = |kind, title: &'static str| Problem::new(422, kind, title, detail.clone());
    match refusal {
        Refusal::UnknownSku { line, sku } => {
            impossible("unknown-sku", "The shop does not sell this")
                .at(format!("lines[{line}].sku"))
                .with("sku", sku.as_str().into())
        }
        Refusal::Price(
            PriceError::MixedCurrencies { line, .. } | PriceError::Negative { line, .. },
        ) => Problem::invalid(format!("lines[{line}].sku"), sentence(&detail)),
        Refusal::Price(PriceError::Quantity { line, .. }) => {
            Problem::invalid(format!("lines[{line}].quantity"), sentence(&detail))
        }
        Refusal::Price(_) | Refusal::TooLarge => Problem::invalid("lines", sentence(&detail)),
        Refusal::Method(_) => {
            let detail = format!(
                "{} Ask for a quote without `delivery` to see the methods that are offered.",
                sentence(&detail)
            );
            Problem::new(422, "delivery-not-offered", "This delivery is not offered", detail)
                .at("delivery.method")
        }
        Refusal::NoMethod => impossible("no-delivery", "Nothing is delivered there").at(place),
        Refusal::NotWithPoints => {
            impossible("not-with-points", "Not to be paid with points").at("delivery.with_points")
        }
    }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let rest = chars.as_str().trim_end_matches('.');
    format!("{first}{rest}.")
}
