//! The description of the HTTP API (OpenAPI 3.1), made from the functions'
//! routes and the wire types of their domains. `infra/openapi.json` is its
//! snapshot, which a test keeps equal.

use aftercart::run::{Access, Function, Route, Trigger, http::OPERATOR_SCOPE};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// What a function takes and gives, besides its path.
struct Shapes {
    request: Option<Content>,
    keyed: bool,
    query: Vec<(&'static str, &'static str)>,
    answers: Vec<(u16, &'static str, Option<Content>)>,
    problems: &'static [u16],
}

struct Content {
    types: &'static [&'static str],
    schema: Value,
}

const JSON: &[&str] = &["application/json"];
const JSON_OR_FORM: &[&str] = &["application/json", "application/x-www-form-urlencoded"];
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

fn operation(function: &Function, route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let shapes = shapes(function.name, schemas);
    let guest = route.path.starts_with("/guest/");
    let suffix = if guest { "-guest" } else { "" };
    let mut operation = json!({
        "operationId": format!("{}{suffix}", function.name),
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
    if shapes.keyed {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "A new random key for each new thing; the same key repeats the call \
                            without doing it twice.",
            "schema": { "type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[!-~]+$" },
        }));
    }
    parameters
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
    let mut problems: Vec<u16> = shapes.problems.to_vec();
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
        let content = json!({ "application/problem+json": { "schema": schema } });
        let answer = json!({ "description": meaning(status), "content": content });
        responses.entry(status.to_string()).or_insert(answer);
    }
    Value::Object(responses)
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request is not valid; `field` names what is.",
        401 => "No token, pass or signature, or one that is not valid.",
        403 => "The token does not permit this.",
        404 => "There is no such thing, or not for this caller.",
        409 => "The state of things does not allow it.",
        413 => "The body is too large.",
        415 => "The body has another type than the route takes.",
        422 => "Understood, and not possible: see `type`.",
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

impl Shapes {
    fn new(answers: Vec<(u16, &'static str, Option<Content>)>, problems: &'static [u16]) -> Self {
        Self { request: None, keyed: false, query: Vec::new(), answers, problems }
    }

    fn taking(mut self, request: Option<Content>) -> Self {
        self.request = request;
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

/// What each function of the API takes and gives. A function that is missing
/// here has an operation without answers, which a test refuses.
fn shapes(function: &str, of: &mut SchemaGenerator) -> Shapes {
    use aftercart_checkout::wire as checkout;
    use aftercart_logistics::wire as logistics;
    use aftercart_payments::wire as payments;
    use aftercart_points::wire as points;
    use aftercart_surveys::wire as surveys;

    let ok = |about, content| vec![(200, about, content)];
    let created = |about, content| vec![(201, about, content)];
    match function {
        "order-place" => {
            let order = json_of::<checkout::OrderView>(of);
            Shapes::new(
                created("The order, new or as it was placed before.", order),
                &[400, 409, 413, 422],
            )
            .taking(json_of::<checkout::PlaceOrder>(of))
            .keyed()
        }
        "order-view" => Shapes::new(ok("The order.", json_of::<checkout::OrderView>(of)), &[404]),
        "order-list" => Shapes::new(
            ok("A page of orders, latest first.", json_of::<checkout::OrderPage>(of)),
            &[400],
        )
        .paged(),
        "order-cancel" => {
            let order = json_of::<checkout::OrderView>(of);
            Shapes::new(ok("The order, cancelled.", order), &[404, 409])
        }
        "product-put" => {
            let product = json_of::<checkout::ProductView>(of);
            Shapes::new(ok("The product as it stands.", product), &[400, 404, 413])
                .taking(json_of::<checkout::PutProduct>(of))
        }
        "stock-receive" => {
            let receipt = json_of::<checkout::ReceiptView>(of);
            Shapes::new(created("The receipt.", receipt), &[400, 404, 413, 422])
                .taking(json_of::<checkout::ReceiveStock>(of))
                .keyed()
        }
        "payment-start" => {
            let started = json_of::<payments::StartedPayment>(of);
            Shapes::new(
                created("The attempt and what the client does next.", started),
                &[400, 404, 409, 413, 422, 502],
            )
            .taking(json_of::<payments::StartPayment>(of))
            .keyed()
        }
        "payment-callback" => {
            let schema = json!({ "anyOf": [schema_of::<payments::SandboxEvent>(of), { "type": "object", "description": "An event in the provider's own format." }] });
            Shapes::new(ok("Received.", json_of::<payments::Received>(of)), &[400, 401, 404, 413])
                .taking(Some(Content { types: JSON, schema }))
        }
        "label-attach" => {
            let label = json_of::<logistics::LabelView>(of);
            Shapes::new(ok("The label.", label), &[400, 404, 409, 413])
                .taking(json_of::<logistics::AttachLabel>(of))
        }
        "carrier-event" => {
            let schema = json!({ "anyOf": [schema_of::<logistics::CarrierPush>(of), { "type": "object", "description": "An event in the carrier's own format." }] });
            Shapes::new(
                ok("Received.", json_of::<logistics::Acknowledged>(of)),
                &[400, 401, 404, 413],
            )
            .taking(Some(Content { types: JSON, schema }))
        }
        "tracking-view" => Shapes::new(
            ok("Where the parcels are.", json_of::<logistics::TrackingView>(of)),
            &[404],
        ),
        "points-view" => {
            let points = json_of::<points::PointsView>(of);
            Shapes::new(ok("Balances and a page of movements, latest first.", points), &[400])
                .paged()
        }
        "survey-view" => {
            let answers = vec![
                (200, "The survey's page, or thanks for the answer.", page()),
                (404, "A page: the link is not valid.", page()),
                (410, "A page: the survey is closed.", page()),
            ];
            let lang = ("lang", "`en` or `zh`; the invitation's language otherwise.");
            Shapes::new(answers, &[400]).asking(lang)
        }
        "survey-answer" => {
            let schema = schema_of::<surveys::AnswerSurvey>(of);
            let answer = json_of::<surveys::AnswerView>(of);
            let answers = vec![
                (200, "To JSON: the answer as it was recorded.", answer),
                (303, "To the page's form: on to the thanks.", None),
                (404, "The link is not valid.", page()),
                (409, "Another answer was recorded before.", page()),
                (410, "The survey is closed.", page()),
                (422, "The page again, with what is wrong at its field.", page()),
            ];
            Shapes::new(answers, &[400, 413, 415])
                .taking(Some(Content { types: JSON_OR_FORM, schema }))
        }
        _ => Shapes::new(Vec::new(), &[]),
    }
}

fn page() -> Option<Content> {
    Some(Content { types: HTML, schema: json!({ "type": "string" }) })
}
