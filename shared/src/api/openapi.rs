//! The OpenAPI 3.1 document, made from the operation types, so that it can't say anything else than the code does.

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
use super::messages::UploadAttachment;

/// The document while operations are added to it.
pub struct Document {
    generator: SchemaGenerator,
    paths: Map<String, Value>,
}

impl Document {
    /// Adds one operation; `name` is its operation id.
    pub(crate) fn add<E: Endpoint>(&mut self, name: &str) {
        let mut parameters: Vec<Value> = E::ROUTE
            .split('/')
            .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
            .map(|it| json!({ "name": it, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        parameters.extend(query::<E::Query>());
        if E::METHOD != Method::Get {
            parameters.push(json!({ "$ref": "#/components/parameters/X-Mailroom" }));
        }
        let mut responses = Map::new();
        responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Problem" }));
        match self.schema_of::<E::Reply>() {
            Some(schema) => {
                let content = json!({ "application/json": { "schema": schema } });
                responses.insert("200".to_owned(), json!({ "description": E::ABOUT, "content": content }));
            }
            None => drop(responses.insert("204".to_owned(), json!({ "description": E::ABOUT }))),
        }
        let mut operation = Map::new();
        operation.insert("operationId".to_owned(), name.into());
        operation.insert("summary".to_owned(), E::ABOUT.into());
        operation.insert("tags".to_owned(), json!([tag_of(E::ROUTE)]));
        operation.insert("parameters".to_owned(), parameters.into());
        operation.insert("responses".to_owned(), responses.into());
        if let Some(schema) = self.schema_of::<E::Body>() {
            let content = json!({ "application/json": { "schema": schema } });
            operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
        }
        self.insert(E::ROUTE, E::METHOD, operation.into());
    }

    fn insert(&mut self, route: &str, method: Method, operation: Value) {
        let path = self.paths.entry(route).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(method.as_str().to_ascii_lowercase(), operation);
        }
    }

    /// The schema of a type; nothing for `()`.
    fn schema_of<T: JsonSchema>(&mut self) -> Option<Value> {
        let schema = self.generator.subschema_for::<T>().to_value();
        (schema.get("type").and_then(Value::as_str) != Some("null")).then_some(schema)
    }
}

/// Fields of a query type as parameters.
fn query<T: JsonSchema>() -> Vec<Value> {
    let schema = SchemaSettings::draft2020_12()
        .with(|it| it.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>();
    let schema = schema.to_value();
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, mut field)| {
            let about = field.as_object_mut().and_then(|it| it.remove("description")).unwrap_or(json!(""));
            json!({
                "name": name, "in": "query", "required": required.contains(&name.as_str()), "description": about,
                "schema": field,
            })
        })
        .collect()
}

/// `/api/v1/records/{id}` is about records.
fn tag_of(route: &str) -> &str {
    route.trim_start_matches("/api/").trim_start_matches("v1/").split('/').next().unwrap_or_default()
}

/// A route that answers bytes rather than JSON.
fn bytes(name: &str, about: &str, kind: &str) -> Value {
    json!({
        "operationId": name,
        "summary": about,
        "tags": ["files"],
        "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
        "responses": {
            "200": { "description": about, "content": { kind: {} } },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    })
}

/// The whole document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut document = Document { generator: settings.into_generator(), paths: Map::new() };
    super::operations(&mut document);
    let problem = document.schema_of::<Problem>();
    let codes: Vec<&str> = ProblemCode::ALL.into_iter().map(ProblemCode::as_str).collect();
    let file = bytes("ReadAttachment", "A file as it came", "application/octet-stream");
    document.insert("/api/v1/attachments/{id}", Method::Get, file);
    let original = bytes("ReadOriginal", "The raw mail of a message", "message/rfc822");
    document.insert("/api/v1/messages/{id}/original", Method::Get, original);
    let Document { mut generator, mut paths } = document;
    // The body of an upload is the file itself.
    let upload = paths.get_mut(UploadAttachment::ROUTE).and_then(|it| it.pointer_mut("/post"));
    if let Some(upload) = upload.and_then(Value::as_object_mut) {
        let content = json!({ "application/octet-stream": {} });
        upload.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mailroom",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Lists answer `items` and `next`; give `next` back as `cursor` for the following page. Times are \
                milliseconds since 1970 UTC. An error is `application/problem+json` with a stable `code`; `fields` names \
                what is wrong in the request.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "session": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-mailroom", "description": "Set by logging in" },
            },
            "parameters": {
                "X-Mailroom": {
                    "name": "X-Mailroom", "in": "header", "required": true, "schema": { "type": "string", "const": "1" },
                    "description": "Any value; a form on another site can't send it",
                },
            },
            "responses": {
                "Problem": {
                    "description": format!("An error (RFC 9457); `code` is one of {}", codes.join(", ")),
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_served_document_is_the_one_the_types_make() {
        let served: Value = serde_json::from_str(include_str!("../../../worker/openapi.json")).unwrap();
        assert!(served == document(), "it is stale: run `cargo xtask openapi`");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut found = 0;
        for rest in text.split("\"$ref\":\"#").skip(1) {
            let pointer = rest.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            found += 1;
        }
        assert!(found > 50, "{found}");
    }
}
