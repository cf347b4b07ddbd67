//! The OpenAPI 3.1 document of the HTTP API, made from the operation types. `cargo xtask openapi` writes it.

use schemars::JsonSchema;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Endpoint;
use super::Method;
use super::Problem;
use super::ProblemCode;

/// Operations that need no login.
pub const OPEN: [&str; 11] = [
    "ReadHealth",
    "ReadSetUp",
    "DoSetUp",
    "DoLogin",
    "ReadMe",
    "ReadInvitation",
    "AnswerInvitation",
    "ForgetPassword",
    "ReadReset",
    "ResetPassword",
    "ConfirmAddress",
];

/// Operations whose request body is the bytes of a file.
const TAKES_BYTES: [&str; 1] = ["UploadAttachment"];

const COMPONENTS: &str = "/components/schemas";

/// Routes that answer bytes or a socket, which no operation type describes: name, method, route, about, media type.
const HAND_MADE: [(&str, Method, &str, &str, &str); 9] = [
    (
        "DownloadLogFile",
        Method::Get,
        "/api/v1/logs/files/{day}",
        "The lines of a day, one JSON object each",
        "application/x-ndjson",
    ),
    (
        "ReadIncomingOriginal",
        Method::Get,
        "/api/v1/incoming/{id}/original",
        "The raw mail of a hand-over as it came in (RFC 5322)",
        "message/rfc822",
    ),
    (
        "ExportSuppressions",
        Method::Get,
        "/api/v1/suppressions.csv",
        "Addresses we do not write to, as a CSV file",
        "text/csv",
    ),
    (
        "ExportRecipients",
        Method::Get,
        "/api/v1/campaigns/{id}/recipients.csv",
        "Every recipient of a campaign and where it is, as a CSV file",
        "text/csv",
    ),
    (
        "ExportMembers",
        Method::Get,
        "/api/v1/mailing-lists/{id}/members.csv",
        "The members of a mailing list, as a CSV file",
        "text/csv",
    ),
    ("DownloadAttachment", Method::Get, "/api/v1/attachments/{id}", "The bytes of a file", "application/octet-stream"),
    (
        "ReadOriginal",
        Method::Get,
        "/api/v1/messages/{id}/original",
        "The raw mail as it came in (RFC 5322)",
        "message/rfc822",
    ),
    ("ReadOpenApi", Method::Get, "/api/openapi.json", "This document", "application/json"),
    (
        "Listen",
        Method::Get,
        "/api/live",
        "A WebSocket that tells which tags went stale, each message `{\"tags\": [...]}`",
        "",
    ),
];

/// The whole document.
pub fn document() -> Value {
    let mut document = Document::new();
    super::shell::describe(&mut document);
    super::session::describe(&mut document);
    super::records::describe(&mut document);
    super::messages::describe(&mut document);
    super::notifications::describe(&mut document);
    super::emails::describe(&mut document);
    super::aliases::describe(&mut document);
    super::contacts::describe(&mut document);
    super::deliverability::describe(&mut document);
    super::failures::describe(&mut document);
    super::suppressions::describe(&mut document);
    super::incoming::describe(&mut document);
    super::policy::describe(&mut document);
    super::route::describe(&mut document);
    super::servers::describe(&mut document);
    super::limits::describe(&mut document);
    super::actions::describe(&mut document);
    super::people::describe(&mut document);
    super::profile::describe(&mut document);
    super::tokens::describe(&mut document);
    super::logs::describe(&mut document);
    super::trace::describe(&mut document);
    super::status::describe(&mut document);
    super::doctor::describe(&mut document);
    super::campaigns::describe(&mut document);
    super::mailing_lists::describe(&mut document);
    super::templates::describe(&mut document);
    document.finish()
}

/// The document while operations are added.
pub struct Document {
    paths: Map<String, Value>,
    /// What goes in may leave out what has a default; what comes out has it all. So there are two sets of shapes.
    incoming: SchemaGenerator,
    outgoing: SchemaGenerator,
}

impl Document {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|it| {
                it.definitions_path = COMPONENTS.into();
                it.meta_schema = None;
            })
        };
        Self {
            paths: Map::new(),
            incoming: settings().for_deserialize().into_generator(),
            outgoing: settings().for_serialize().into_generator(),
        }
    }

    /// Adds an operation under its type's name.
    pub fn add<E: Endpoint>(&mut self, name: &str)
    where
        E::Query: JsonSchema,
        E::Body: JsonSchema,
        E::Reply: JsonSchema,
    {
        let mut operation = start(name, E::METHOD, E::ROUTE, E::ABOUT);
        let query = self.incoming.root_schema_for::<E::Query>();
        self.incoming.subschema_for::<E::Query>();
        if let Some(list) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            list.extend(query_parameters(query.as_value()));
        }
        if TAKES_BYTES.contains(&name) {
            operation.insert("requestBody".into(), body("application/octet-stream", &json!({})));
        } else {
            let schema = self.incoming.subschema_for::<E::Body>().to_value();
            if !is_nothing(&schema) {
                operation.insert("requestBody".into(), body("application/json", &incoming(schema)));
            }
        }
        let schema = self.outgoing.subschema_for::<E::Reply>().to_value();
        let answer = if is_nothing(&schema) {
            ("204", json!({ "description": "Done" }))
        } else {
            ("200", json!({ "description": E::ABOUT, "content": { "application/json": { "schema": schema } } }))
        };
        self.insert(E::METHOD, E::ROUTE, operation, answer);
    }

    fn insert(&mut self, method: Method, route: &str, mut operation: Map<String, Value>, answer: (&str, Value)) {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert(answer.0.to_owned(), answer.1);
        }
        let path = self.paths.entry(route.to_owned()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(method.as_str().to_lowercase(), Value::Object(operation));
        }
    }

    fn finish(mut self) -> Value {
        for (name, method, route, about, media) in HAND_MADE {
            let mut operation = start(name, method, route, about);
            if name == "ReadOpenApi" {
                operation.insert("security".into(), json!([]));
            }
            let answer = match media {
                "" => ("101", json!({ "description": about })),
                _ => ("200", json!({ "description": about, "content": { media: { "schema": {} } } })),
            };
            self.insert(method, route, operation, answer);
        }
        self.outgoing.subschema_for::<Problem>();
        let mut schemas = self.outgoing.take_definitions(true);
        let taken = self.incoming.take_definitions(true);
        for (name, schema) in taken {
            schemas.insert(format!("{name}{IN}"), incoming(schema));
        }
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Mailroom",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Records, their conversations, and the mail that comes in and goes out. Lists go on with their `next` cursor. Errors are `application/problem+json` with a stable `code`.",
            },
            "servers": [{ "url": "/" }],
            "security": read_security(),
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": problems(),
                "securitySchemes": {
                    "session": { "type": "apiKey", "in": "cookie", "name": "__Host-mailroom",
                        "description": "Set by `POST /api/v1/session`" },
                    "ownPage": { "type": "apiKey", "in": "header", "name": "X-Mailroom",
                        "description": "Any value, with every write: a form on another site can't set a header" },
                    "token": { "type": "http", "scheme": "bearer", "description": "An API token" },
                },
            },
        });
        fold_same(&mut document);
        drop_unused(&mut document);
        document
    }
}

/// What the names of shapes that come in end with, where they differ from those that go out.
const IN: &str = "In";

fn read_security() -> Value {
    json!([{ "session": [] }, { "token": [] }])
}

fn start(name: &str, method: Method, route: &str, about: &str) -> Map<String, Value> {
    let tag = route.trim_start_matches("/api/").trim_start_matches("v1/").split('/').next().unwrap_or_default();
    let mut operation = Map::new();
    operation.insert("operationId".into(), json!(name));
    operation.insert("tags".into(), json!([tag.split('.').next().unwrap_or(tag)]));
    operation.insert("summary".into(), json!(about));
    if OPEN.contains(&name) {
        let open = if method == Method::Get { json!([]) } else { json!([{ "ownPage": [] }]) };
        operation.insert("security".into(), open);
    } else if method != Method::Get {
        operation.insert("security".into(), json!([{ "session": [], "ownPage": [] }, { "token": [], "ownPage": [] }]));
    }
    let parameters: Vec<Value> = route
        .split('/')
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
        .map(|it| json!({ "name": it, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    operation.insert("parameters".into(), Value::Array(parameters));
    let responses: Map<String, Value> =
        statuses().into_iter().map(|it| (it.to_string(), reference("responses", &format!("Problem{it}")))).collect();
    operation.insert("responses".into(), Value::Object(responses));
    operation
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn body(media: &str, schema: &Value) -> Value {
    json!({ "required": true, "content": { media: { "schema": schema } } })
}

fn is_nothing(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// A query string as parameters: the fields of its shape.
fn query_parameters(schema: &Value) -> Vec<Value> {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema.get("properties").and_then(Value::as_object);
    fields
        .into_iter()
        .flatten()
        .map(|(name, shape)| {
            let mut shape = shape.clone();
            let about = shape.as_object_mut().and_then(|it| it.remove("description"));
            never_null(&mut shape);
            let mut parameter = json!({
                "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": incoming(shape),
            });
            if let (Some(about), Some(it)) = (about, parameter.as_object_mut()) {
                it.insert("description".into(), about);
            }
            parameter
        })
        .collect()
}

/// A query string leaves out what it does not say.
fn never_null(shape: &mut Value) {
    if let Some(Value::Array(types)) = shape.get("type")
        && let Some(only) = types.iter().find(|it| *it != "null").cloned()
        && let Some(it) = shape.as_object_mut()
    {
        it.insert("type".into(), only);
    }
    if let Some(Value::Array(any)) = shape.get("anyOf") {
        let mut real = any.iter().filter(|it| !is_nothing(it)).cloned();
        if let (Some(only), None) = (real.next(), real.next()) {
            *shape = only;
        }
    }
}

/// The statuses of problems, in order.
fn statuses() -> Vec<u16> {
    let mut all: Vec<u16> = ProblemCode::ALL.into_iter().map(ProblemCode::status).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// One answer per status, with the codes it may carry.
fn problems() -> Value {
    let answers = statuses().into_iter().map(|status| {
        let codes: Vec<&str> =
            ProblemCode::ALL.into_iter().filter(|it| it.status() == status).map(ProblemCode::as_str).collect();
        let schema = json!({
            "allOf": [reference("schemas", "Problem")],
            "properties": { "code": { "enum": codes }, "status": { "const": status } },
        });
        let answer = json!({
            "description": format!("Problem: {}", codes.join(", ")),
            "content": { "application/problem+json": { "schema": schema } },
        });
        (format!("Problem{status}"), answer)
    });
    Value::Object(answers.collect())
}

/// Lets the references of a shape that comes in point to the shapes that come in.
fn incoming(mut schema: Value) -> Value {
    each_reference(&mut schema, &mut |it| it.push_str(IN));
    schema
}

fn each_reference(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if name == "$ref" && text.contains(COMPONENTS) => change(text),
                    inner => each_reference(inner, change),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|it| each_reference(it, change)),
        _ => {}
    }
}

/// Shapes that nothing names: those of query strings, which became parameters.
fn drop_unused(document: &mut Value) {
    loop {
        let mut named: Vec<String> = Vec::new();
        each_reference(document, &mut |it| named.extend(it.rsplit('/').next().map(str::to_owned)));
        let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else { return };
        let before = schemas.len();
        schemas.retain(|name, _| named.contains(name));
        if schemas.len() == before {
            return;
        }
    }
}

/// Shapes that are the same both ways get one name. Repeated, since folding one may make those that name it the same.
fn fold_same(document: &mut Value) {
    loop {
        let Some(schemas) = document.pointer("/components/schemas").and_then(Value::as_object) else { return };
        let is_same = |name: &String| {
            let plain = name.strip_suffix(IN).unwrap_or(name);
            let (Some(a), Some(b)) = (schemas.get(name), schemas.get(plain)) else { return false };
            // A shape may name itself.
            let mut a = a.clone();
            let own = format!("#{COMPONENTS}/{name}");
            each_reference(&mut a, &mut |it| {
                if *it == own {
                    *it = format!("#{COMPONENTS}/{plain}");
                }
            });
            name != plain && a == *b
        };
        // One that only comes in needs no second name either.
        let is_lonely = |name: &String| name.strip_suffix(IN).is_some_and(|it| !schemas.contains_key(it));
        let same: Vec<String> = schemas.keys().filter(|it| is_same(it) || is_lonely(it)).cloned().collect();
        if same.is_empty() {
            return;
        }
        if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
            for name in &same {
                if let (Some(shape), Some(plain)) = (schemas.remove(name), name.strip_suffix(IN)) {
                    schemas.entry(plain.to_owned()).or_insert(shape);
                }
            }
        }
        each_reference(document, &mut |it| {
            let name = it.rsplit('/').next().unwrap_or_default().to_owned();
            if same.contains(&name) {
                it.truncate(it.len() - IN.len());
            }
        });
    }
}
