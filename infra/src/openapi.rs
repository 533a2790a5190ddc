//! The description of the HTTP API (OpenAPI 3.1), made from the functions'
//! routes and the wire types of their domains. `infra/openapi.json` is its
//! snapshot, which a test keeps equal.

mod answering;
mod care;
mod channels;
mod contacts;
mod contests;
mod earning;
mod feedback;
mod giving;
mod reporting;
mod rewards;
mod tickets;
mod tiers;

use aftercart::model::customer::Address;
use aftercart::run::{Access, Function, Route, Trigger, http::OPERATOR_SCOPE};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// What a function takes and gives, besides its path.
struct Shapes {
    request: Option<Content>,
    keyed: bool,
    query: Vec<(&'static str, &'static str)>,
    answers: Vec<(u16, &'static str, Option<Content>)>,
    problems: Vec<u16>,
}

struct Content {
    types: &'static [&'static str],
    schema: Value,
}

const JSON: &[&str] = &["application/json"];
const JSON_OR_FORM: &[&str] = &["application/json", "application/x-www-form-urlencoded"];
const FORM: &[&str] = &["application/x-www-form-urlencoded"];
const CSV_OR_BYTES: &[&str] = &["text/csv", "application/octet-stream"];
const HTML: &[&str] = &["text/html"];

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut schemas = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for function in crate::functions() {
        let Trigger::Http(routes) = function.trigger else { continue };
        for route in routes {
            let operation = operation(&function, route, &mut schemas);
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            path[route.method.to_ascii_lowercase()] = operation;
        }
    }
    let mut components: Map<String, Value> = schemas.take_definitions(true).into_iter().collect();
    components.insert("Problem".to_owned(), problem_schema());
    components.insert("GatewayRefusal".to_owned(), gateway_refusal_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Aftercart",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything after the button \"buy\": orders, payments, parcels, \
                            points, surveys. Amounts are in minor units of the currency, times \
                            in RFC 3339 and UTC. Every error is a problem document (RFC 9457).",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "paths": paths,
        "components": { "schemas": components, "securitySchemes": security_schemes() },
    })
}

fn security_schemes() -> Value {
    json!({
        "member": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "A member's token. Its subject is the customer.",
        },
        "operator": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": format!("A token with the scope {OPERATOR_SCOPE}."),
        },
        "guest": {
            "type": "apiKey", "in": "header", "name": "Order-Token",
            "description": "The pass that came with a guest's order. It opens that order only.",
        },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "Why a call was refused (RFC 9457), with members of its own by type.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "Stable, for programs: `urn:aftercart:problem:` and a word." },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "A sentence for people, with the remedy." },
            "field": { "type": "string", "description": "What is at fault: a field of the body, a header or a member of the query." },
        },
    })
}

fn gateway_refusal_schema() -> Value {
    json!({
        "type": "object",
        "description": "What API Gateway says of a token that it does not take, before any function is called.",
        "required": ["message"],
        "properties": { "message": { "type": "string" } },
    })
}

fn operation(function: &Function, route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let guest = route.path.starts_with("/guest/");
    let name = name(function, route);
    let shapes = shapes(&name, schemas);
    let suffix = if guest { "-guest" } else { "" };
    let mut operation = json!({
        "operationId": format!("{name}{suffix}"),
        "summary": function.about,
        "tags": [route.path.trim_start_matches("/guest").split('/').nth(1).unwrap_or_default()],
        "parameters": parameters(route, &shapes),
        "responses": responses(&shapes, route),
        "security": match route.access {
            Access::Shopper => json!([{ "member": [] }]),
            Access::Operator => json!([{ "operator": [] }]),
            Access::Open if guest && route.path.contains("{id}") => json!([{ "guest": [] }]),
            Access::Open => json!([]),
        },
    });
    if let Some(content) = &shapes.request {
        operation["requestBody"] = json!({ "required": true, "content": content.write() });
    }
    operation
}

/// The name of what a function does on a route: the function's, unless it does
/// another thing, or for somebody else, than on its first.
fn name(function: &Function, route: &Route) -> String {
    let Trigger::Http([first, ..]) = function.trigger else { return function.name.to_owned() };
    let own = first.access == Access::Operator || route.access != Access::Operator;
    let last = |route: &Route| route.path.rsplit('/').next().unwrap_or_default();
    match own {
        true if last(first) == last(route) && first.method == route.method => {
            function.name.to_owned()
        }
        true if last(first) == last(route) => {
            format!("{}-{}", function.name, route.method.to_ascii_lowercase())
        }
        true => format!("{}-{}", function.name, last(route)),
        false => format!("{}-operator", function.name),
    }
}

impl Content {
    fn write(&self) -> Value {
        let pairs =
            self.types.iter().map(|name| ((*name).to_owned(), json!({ "schema": self.schema })));
        Value::Object(pairs.collect())
    }
}

fn parameters(route: &Route, shapes: &Shapes) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let mut parameters = Vec::new();
    for part in route.path.split('/').filter_map(|part| part.strip_prefix('{')) {
        let name = part.trim_end_matches('}');
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": text }));
    }
    for (name, about) in &shapes.query {
        parameters
            .push(json!({ "name": name, "in": "query", "description": about, "schema": text }));
    }
    if route.path.starts_with("/guest/cart") || route.path == "/cart/merge" {
        parameters.push(key_header(
            "Cart-Token",
            true,
            "The key to a guest's cart: random, drawn by the guest's client, the same in every \
             call. Who knows it has the cart.",
        ));
    }
    if (route.method, route.path) == ("POST", "/guest/orders") {
        let about = "The key to the guest's cart that the order comes from; only with `cart`.";
        parameters.push(key_header("Cart-Token", false, about));
    }
    if shapes.keyed {
        parameters.push(key_header(
            "Idempotency-Key",
            true,
            "A new random key for each new thing; the same key repeats the call without doing it \
             twice.",
        ));
    }
    parameters
}

/// A header with a random key.
fn key_header(name: &str, required: bool, about: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": required, "description": about,
        "schema": { "type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[!-~]+$" },
    })
}

fn responses(shapes: &Shapes, route: &Route) -> Value {
    let mut responses = Map::new();
    for (status, about, content) in &shapes.answers {
        let mut answer = json!({ "description": about });
        if let Some(content) = content {
            answer["content"] = content.write();
        }
        responses.insert(status.to_string(), answer);
    }
    let mut problems = shapes.problems.clone();
    match route.access {
        Access::Shopper => problems.push(401),
        Access::Operator => problems.extend([401, 403]),
        Access::Open => {}
    }
    if route.path.starts_with("/guest/") && route.path.contains("{id}") {
        problems.push(401);
    }
    problems.extend([500, 503]);
    problems.sort_unstable();
    problems.dedup();
    for status in problems {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let mut content = json!({ "application/problem+json": { "schema": schema } });
        if route.access != Access::Open && [401, 403].contains(&status) {
            let schema = json!({ "$ref": "#/components/schemas/GatewayRefusal" });
            content["application/json"] = json!({ "schema": schema });
        }
        let answer = json!({ "description": meaning(status), "content": content });
        responses.entry(status.to_string()).or_insert(answer);
    }
    Value::Object(responses)
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is not valid; `field` names what is.",
        401 => "No token, pass or signature, or one that is not valid.",
        403 => "Not permitted: by the token, or by the shop.",
        404 => "There is no such thing, or not for this caller.",
        409 => "The state of things does not allow it.",
        413 => "The body is too large.",
        415 => "The body has another type than the route takes.",
        422 => "Understood, and not possible: see `type`.",
        429 => "Too often; see `Retry-After`.",
        500 => "Our fault; `request_id` names the log line.",
        502 => "The provider refused or failed.",
        503 => "Busy; repeat the call in a moment.",
        _ => "Refused.",
    }
}

fn schema_of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    Schema::into(schemas.subschema_for::<T>())
}

fn json_of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Option<Content> {
    Some(Content { types: JSON, schema: schema_of::<T>(schemas) })
}

const CURSOR: (&str, &str) = ("cursor", "Where the page begins: `next_cursor` of the page before.");
const LIMIT: (&str, &str) = ("limit", "How many there are on a page, 1 to 100.");

/// The language of a tracking page.
const LANG: (&str, &str) = ("lang", "`en` or `zh`; the order's language otherwise.");

impl Shapes {
    fn new(answers: Vec<(u16, &'static str, Option<Content>)>, problems: &[u16]) -> Self {
        let problems = problems.to_vec();
        Self { request: None, keyed: false, query: Vec::new(), answers, problems }
    }

    fn ok<T: JsonSchema>(of: &mut SchemaGenerator, about: &'static str, problems: &[u16]) -> Self {
        Self::new(vec![(200, about, json_of::<T>(of))], problems)
    }

    fn created<T: JsonSchema>(
        of: &mut SchemaGenerator,
        about: &'static str,
        problems: &[u16],
    ) -> Self {
        Self::new(vec![(201, about, json_of::<T>(of))], problems)
    }

    fn taking<T: JsonSchema>(self, of: &mut SchemaGenerator) -> Self {
        self.taking_one_of(JSON, schema_of::<T>(of))
    }

    /// Takes a body, which may be too large.
    fn taking_one_of(mut self, types: &'static [&'static str], schema: Value) -> Self {
        self.request = Some(Content { types, schema });
        self.problems.push(413);
        self
    }

    fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    fn paged(self) -> Self {
        self.asking(CURSOR).asking(LIMIT)
    }

    fn asking(mut self, query: (&'static str, &'static str)) -> Self {
        self.query.push(query);
        self
    }
}

/// What each operation of the API takes and gives. One that is missing here
/// has no answers, which a test refuses.
fn shapes(operation: &str, of: &mut SchemaGenerator) -> Shapes {
    let domains = [
        orders,
        changes,
        operators,
        carts,
        settings,
        goods,
        customers,
        payments,
        logistics,
        points,
        answering::shapes,
        care::shapes,
        webhooks,
        channels::shapes,
        contacts::shapes,
        contests::shapes,
        earning::shapes,
        feedback::shapes,
        giving::shapes,
        reporting::shapes,
        rewards::shapes,
        tickets::shapes,
        tiers::shapes,
    ];
    let mut described = domains.into_iter().filter_map(|domain| domain(operation, of));
    described.next().unwrap_or_else(|| Shapes::new(Vec::new(), &[]))
}

fn orders(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::{OrderPage, OrderView, PlaceOrder, quote};

    Some(match operation {
        "quote-make" => Shapes::ok::<quote::QuoteView>(of, "What it costs, and why.", &[400, 422])
            .taking::<quote::AskQuote>(of),
        "order-place" => {
            let about = "The order, new or as it was placed before.";
            Shapes::created::<OrderView>(of, about, &[400, 403, 409, 422])
                .taking::<PlaceOrder>(of)
                .keyed()
        }
        "order-view" => Shapes::ok::<OrderView>(of, "The order.", &[404]),
        "order-list" => {
            Shapes::ok::<OrderPage>(of, "A page of orders, latest first.", &[400]).paged()
        }
        _ => return None,
    })
}

fn changes(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::{OrderView, order::CancelUnits};

    Some(match operation {
        "order-cancel" => Shapes::ok::<OrderView>(of, "The order, cancelled.", &[404, 409]),
        "units-cancel" => {
            Shapes::ok::<OrderView>(of, "The order as it is now.", &[400, 404, 409, 422])
                .taking::<CancelUnits>(of)
        }
        "address-change" => {
            Shapes::ok::<OrderView>(of, "The order as it is now.", &[400, 404, 409])
                .taking::<Address>(of)
        }
        _ => return None,
    })
}

fn operators(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::{
        order::{GiveBack, GiveReason, LeaveNote, OrderFile},
        search::FoundOrders,
    };

    Some(match operation {
        "order-cancel-operator" => {
            Shapes::ok::<OrderFile>(of, "The order, cancelled.", &[400, 404, 409])
                .taking::<GiveReason>(of)
        }
        "order-hold" | "order-hold-release" => {
            Shapes::ok::<OrderFile>(of, "The order as it is now.", &[400, 404, 409])
                .taking::<GiveReason>(of)
        }
        "order-note" => Shapes::ok::<OrderFile>(of, "The order with its notes.", &[400, 404, 409])
            .taking::<LeaveNote>(of),
        "order-refund" => {
            let refused = &[400, 404, 409, 422];
            Shapes::ok::<OrderFile>(of, "The order with what goes back.", refused)
                .taking::<GiveBack>(of)
        }
        "order-inspect" => Shapes::ok::<OrderFile>(of, "All that is known of the order.", &[404]),
        "order-search" => {
            Shapes::ok::<FoundOrders>(of, "A page of orders that were found.", &[400])
                .asking(("order", "The number of an order. Name one of these four."))
                .asking(("email", "The e-mail address of buyers; latest orders first."))
                .asking(("customer", "A customer; latest orders first."))
                .asking(("held", "`true`: paid orders that wait for a person, the longest first."))
                .paged()
        }
        _ => return None,
    })
}

fn carts(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::cart::{CartView, MergedCartView, PutCart, PutCartLine};

    Some(match operation {
        "cart-view" => {
            let about = "The cart, with list prices; what it costs a quote tells.";
            Shapes::ok::<CartView>(of, about, &[400])
        }
        "cart-put" => {
            Shapes::ok::<CartView>(of, "The cart as it is now.", &[400, 409]).taking::<PutCart>(of)
        }
        "cart-line-put" => Shapes::ok::<CartView>(of, "The cart as it is now.", &[400, 404, 409])
            .taking::<PutCartLine>(of),
        "cart-merge" => {
            let about = "The member's cart, and what it had no room for.";
            Shapes::ok::<MergedCartView>(of, about, &[400])
        }
        _ => return None,
    })
}

fn settings(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart::model::{exchange::ExchangeRates, policy::Policy, price::PriceRules};

    let kept = "The document, which holds within a minute.";
    let held = "The document that holds.";
    Some(match operation {
        "settings-put" => Shapes::ok::<Policy>(of, kept, &[400]).taking::<Policy>(of),
        "settings-put-price-rules" => {
            Shapes::ok::<PriceRules>(of, kept, &[400]).taking::<PriceRules>(of)
        }
        "settings-put-exchange-rates" => {
            Shapes::ok::<ExchangeRates>(of, kept, &[400]).taking::<ExchangeRates>(of)
        }
        "settings-view-exchange-rates" => Shapes::ok::<ExchangeRates>(of, held, &[]),
        "settings-view" => Shapes::ok::<Policy>(of, held, &[]),
        "settings-view-price-rules" => Shapes::ok::<PriceRules>(of, held, &[]),
        _ => return None,
    })
}

fn goods(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::{
        ProductView, PutProduct,
        stock::{MoveStock, ReceiptView, ReceiveStock, StockMovementView, StockView},
    };

    Some(match operation {
        "product-put" => Shapes::ok::<ProductView>(of, "The product as it stands.", &[400, 404])
            .taking::<PutProduct>(of),
        "product-view" => Shapes::ok::<ProductView>(of, "The product as it stands.", &[404]),
        "stock-receive" => Shapes::created::<ReceiptView>(of, "The receipt.", &[400, 404, 422])
            .taking::<ReceiveStock>(of)
            .keyed(),
        "stock-move" => {
            Shapes::created::<StockMovementView>(of, "The movement.", &[400, 404, 409, 422])
                .taking::<MoveStock>(of)
                .keyed()
        }
        "stock-view" => {
            Shapes::ok::<StockView>(of, "How much there is, by location and part.", &[404])
        }
        _ => return None,
    })
}

fn customers(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_checkout::wire::{
        customer::{
            CustomerPage, GrantVoucher, PutCustomer, StandingView, VoucherPage, VoucherView,
        },
        risk::{PutRiskEntry, RiskEntryView},
        share::{ShareView, StartShare},
    };

    Some(match operation {
        "risk-list" => Shapes::ok::<RiskEntryView>(of, "The entry as it stands.", &[400])
            .taking::<PutRiskEntry>(of),
        "customer-put" => {
            let about = "The tier, segments and birthday as they stand.";
            Shapes::ok::<StandingView>(of, about, &[400, 404, 409]).taking::<PutCustomer>(of)
        }
        "customer-view" => {
            let about = "The record and a page of the vouchers.";
            Shapes::ok::<CustomerPage>(of, about, &[400, 404]).paged()
        }
        "share-start" => {
            let about = "The member's share, new or as it is.";
            Shapes::created::<ShareView>(of, about, &[400, 409, 422]).taking::<StartShare>(of)
        }
        "share-join" => Shapes::ok::<ShareView>(of, "The share as it is.", &[404, 409]),
        "share-view" => Shapes::ok::<ShareView>(of, "The share as it is.", &[404]),
        "voucher-grant" => {
            let about = "The voucher as it was granted.";
            Shapes::created::<VoucherView>(of, about, &[400, 404, 422])
                .taking::<GrantVoucher>(of)
                .keyed()
        }
        "voucher-list" => {
            let about = "A page of vouchers, in no particular order.";
            Shapes::ok::<VoucherPage>(of, about, &[400]).paged()
        }
        _ => return None,
    })
}

fn payments(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_payments::wire::{
        PaymentMethods, Received, SandboxEvent, SettlementReport, StartPayment, StartedPayment,
        attempt::{AttemptList, AttemptView},
    };

    Some(match operation {
        "payment-start" => {
            let about = "The attempt and what the client does next.";
            Shapes::created::<StartedPayment>(of, about, &[400, 404, 409, 422, 502])
                .taking::<StartPayment>(of)
                .keyed()
        }
        "settlement-import" => {
            let about = "How the statement and our records agree.";
            let schema = json!({
                "type": "string",
                "description": "The provider's statement, as it gives it: CSV with a line of \
                                column names, of at most 4 MiB and 10,000 rows. A file in GBK is \
                                sent as application/octet-stream.",
            });
            Shapes::ok::<SettlementReport>(of, about, &[400, 404, 422])
                .taking_one_of(CSV_OR_BYTES, schema)
                .asking(("from", "Where the time begins in which money of ours is missed (RFC 3339), if that is before the file's own."))
                .asking(("to", "Where it ends (RFC 3339), if that is after the file's own."))
        }
        "payment-methods" => {
            let about = "The ways to pay, in the shop's order, one recommended.";
            Shapes::ok::<PaymentMethods>(of, about, &[404, 409, 422])
        }
        "payment-view" => Shapes::ok::<AttemptView>(of, "Where the attempt stands.", &[404]),
        "payment-view-payments" => {
            let about = "The attempts that were heard of, the latest first.";
            Shapes::ok::<AttemptList>(of, about, &[404])
        }
        "case-list" => {
            use aftercart_payments::wire::case::CasePage;
            Shapes::ok::<CasePage>(of, "A page of the open cases, the oldest first.", &[400])
                .paged()
        }
        "case-resolve" => {
            use aftercart_payments::wire::case::{CaseFile, ResolveCase};
            let about = "The case as it is resolved.";
            Shapes::ok::<CaseFile>(of, about, &[400, 404, 409]).taking::<ResolveCase>(of)
        }
        "payment-callback" => {
            let schema = foreign::<SandboxEvent>(of, "An event in the provider's own format.");
            Shapes::ok::<Received>(of, "Received.", &[400, 401, 404]).taking_one_of(JSON, schema)
        }
        _ => return None,
    })
}

/// The months that are asked about.
const FIRST_MONTH: (&str, &str) =
    ("from", "The first month, such as `2026-09`; two before the last one otherwise.");
const LAST_MONTH: (&str, &str) =
    ("to", "The last month, at most the eleventh after the first; the present one otherwise.");

fn logistics(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_logistics::wire::{
        Acknowledged, AttachLabel, CarrierPush, LabelView, tracking::TrackingView,
    };

    Some(match operation {
        "label-attach" => {
            Shapes::ok::<LabelView>(of, "The label.", &[400, 404, 409]).taking::<AttachLabel>(of)
        }
        "shipment-change" => {
            use aftercart_logistics::wire::shipment::{ShipmentFile, SplitShipment};
            let about = "The shipment with the units that were split off.";
            Shapes::created::<ShipmentFile>(of, about, &[400, 404, 409, 422])
                .taking::<SplitShipment>(of)
                .keyed()
        }
        "shipment-change-void" => {
            use aftercart_logistics::wire::shipment::ShipmentFile;
            Shapes::ok::<ShipmentFile>(of, "The shipment without a label.", &[404, 409])
        }
        "shipment-change-close" => {
            use aftercart_logistics::wire::shipment::{CloseShipment, ShipmentFile};
            Shapes::ok::<ShipmentFile>(of, "The shipment as it ended.", &[400, 404, 409])
                .taking::<CloseShipment>(of)
        }
        "shipment-change-replacement" => {
            use aftercart_logistics::wire::shipment::{ReplaceShipment, ShipmentFile};
            let about = "The shipment that is sent instead.";
            Shapes::created::<ShipmentFile>(of, about, &[400, 404, 409, 422])
                .taking::<ReplaceShipment>(of)
                .keyed()
        }
        "shipment-change-returns" => {
            use aftercart_logistics::wire::shipment::{ReturnGoods, ShipmentFile};
            let about = "The shipment of what comes back.";
            Shapes::created::<ShipmentFile>(of, about, &[400, 404, 409, 422])
                .taking::<ReturnGoods>(of)
                .keyed()
        }
        "carrier-event" => {
            let schema = foreign::<CarrierPush>(of, "An event in the carrier's own format.");
            Shapes::ok::<Acknowledged>(of, "Received.", &[400, 401, 404])
                .taking_one_of(JSON, schema)
        }
        "alert-list" => {
            use aftercart_logistics::wire::alert::AlertPage;
            let about = "A page of the open alerts, those first that are to be seen to first.";
            Shapes::ok::<AlertPage>(of, about, &[400])
                .asking(("owner", "Only what these people see to."))
                .asking(("kind", "Only what is wrong in this way."))
                .paged()
        }
        "alert-resolve" => {
            use aftercart_logistics::wire::alert::{AlertFile, ResolveAlert};
            let about = "The alert with its end.";
            Shapes::ok::<AlertFile>(of, about, &[400, 404, 409]).taking::<ResolveAlert>(of)
        }
        "delivery-report" => {
            use aftercart_logistics::wire::performance::DeliveryReport;
            let about = "How promises of delivery were kept, by service, lane and method.";
            Shapes::ok::<DeliveryReport>(of, about, &[400]).asking(FIRST_MONTH).asking(LAST_MONTH)
        }
        "delivery-report-promise-proposal" => {
            use aftercart_logistics::wire::performance::PromiseProposal;
            let about = "The times under way that should be promised, and the policy with them.";
            Shapes::ok::<PromiseProposal>(of, about, &[400]).asking(FIRST_MONTH).asking(LAST_MONTH)
        }
        "tracking-view" => Shapes::ok::<TrackingView>(of, "Where the parcels are.", &[404]),
        "tracking-page" => {
            let answers = vec![
                (200, "The tracking page.", page()),
                (404, "A page: the link is not valid.", page()),
                (410, "A page: the link has expired.", page()),
            ];
            Shapes::new(answers, &[]).asking(LANG)
        }
        "tracking-page-post" => {
            let answers = vec![
                (303, "The choice is noted: on to the page.", None),
                (404, "A page: the link is not valid.", page()),
                (409, "A page: there is nothing to choose any more.", page()),
                (410, "A page: the link has expired.", page()),
                (422, "The page again, with what is wrong at its field.", page()),
            ];
            let schema = json!({ "type": "object", "description": "The form of the page." });
            Shapes::new(answers, &[400, 415]).asking(LANG).taking_one_of(FORM, schema)
        }
        _ => return None,
    })
}

/// Our own format, or somebody else's.
fn foreign<T: JsonSchema>(of: &mut SchemaGenerator, about: &str) -> Value {
    json!({ "anyOf": [schema_of::<T>(of), { "type": "object", "description": about }] })
}

fn points(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_points::wire::{
        offers::{PointsOffers, ProgrammeView},
        view::PointsView,
    };

    let lang = ("lang", "`en` or `zh`; the first of `Accept-Language` that there is otherwise.");
    Some(match operation {
        "points-view" => {
            let about = "Balances and a page of movements, latest first.";
            Shapes::ok::<PointsView>(of, about, &[400])
                .asking(("kind", "Only movements of this kind."))
                .asking(lang)
                .paged()
        }
        "points-programme" => {
            let about = "The rules in plain words, by parts.";
            Shapes::ok::<ProgrammeView>(of, about, &[400]).asking(lang)
        }
        "points-programme-offers" => {
            let about = "What the points pay of an order, and rewards, with what is missing.";
            Shapes::ok::<PointsOffers>(of, about, &[400]).asking(lang)
        }
        "points-page" => {
            let answers = vec![
                (200, "The page of a member's points.", page()),
                (404, "A page: the link is not valid.", page()),
                (410, "A page: the link has expired.", page()),
            ];
            let cursor = ("cursor", "Where the movements begin: the link to earlier ones has it.");
            Shapes::new(answers, &[]).asking(lang).asking(cursor)
        }
        _ => return None,
    })
}

fn webhooks(operation: &str, of: &mut SchemaGenerator) -> Option<Shapes> {
    use aftercart_relay::wire::{DeliveryPage, ReplayDead, ReplayedDead, WebhookView};

    Some(match operation {
        "webhook-list" => {
            let about = "A page of messages to an endpoint: those that wait by when they are \
                         tried, others by when they ended.";
            Shapes::ok::<DeliveryPage>(of, about, &[400])
                .asking(("endpoint", "Which endpoint, by its `id` in the policy. Required."))
                .asking(("state", "`dead`, which is the default, `waiting` or `done`."))
                .paged()
        }
        "webhook-list-replay" => {
            let about = "The message, which waits to be sent again.";
            Shapes::ok::<WebhookView>(of, about, &[404, 409])
        }
        "webhook-list-replays" => {
            let about = "Some are sent again; while there are `more`, repeat the call.";
            Shapes::ok::<ReplayedDead>(of, about, &[400, 409]).taking::<ReplayDead>(of)
        }
        _ => return None,
    })
}

fn page() -> Option<Content> {
    Some(Content { types: HTML, schema: json!({ "type": "string" }) })
}
