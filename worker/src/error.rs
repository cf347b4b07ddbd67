//! What can go wrong in a request, and how it is answered.

use axum::response::IntoResponse;
use axum::response::Response;
use mailroom_shared::api::FieldError;
use mailroom_shared::api::Problem;
use mailroom_shared::api::ProblemCode;

use crate::ports::BlobError;
use crate::ports::DbError;

/// A problem to answer. Our own bugs and outages are logged where they are answered, with the request's id.
#[derive(Debug, Clone)]
pub struct AppError(pub Problem);

pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    pub fn new(code: ProblemCode) -> Self {
        Self(Problem::new(code))
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// One wrong field.
    pub fn field(field: &str, key: &str) -> Self {
        Self::fields(vec![(field, key)])
    }

    /// One wrong field, with what stands in the placeholders of its sentence.
    pub fn field_with(field: &str, key: &str, args: &[(&str, &str)]) -> Self {
        let mut error = Self::field(field, key);
        for it in &mut error.0.fields {
            it.args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        }
        error
    }

    /// All wrong fields at once.
    pub fn fields(fields: Vec<(&str, &str)>) -> Self {
        let mut problem = Problem::new(ProblemCode::Invalid);
        problem.fields = fields
            .into_iter()
            .map(|(field, key)| FieldError {
                field: field.to_owned(),
                key: key.to_owned(),
                args: std::collections::BTreeMap::new(),
            })
            .collect();
        Self(problem)
    }

    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound)
    }
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unique(what) => Self::new(ProblemCode::Conflict).detail(what),
            DbError::Failed(why) => Self::new(ProblemCode::Unavailable).detail(why),
        }
    }
}

impl From<BlobError> for AppError {
    fn from(error: BlobError) -> Self {
        Self::new(ProblemCode::Unavailable).detail(error.to_string())
    }
}

impl From<crate::store::StoreError> for AppError {
    fn from(error: crate::store::StoreError) -> Self {
        match error {
            crate::store::StoreError::Db(error) => error.into(),
            crate::store::StoreError::Corrupt(what) => Self::new(ProblemCode::Internal).detail(what),
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let status =
            axum::http::StatusCode::from_u16(self.0.status).unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut problem = self.0;
        if matches!(problem.code, ProblemCode::Internal | ProblemCode::Unavailable) {
            crate::log::error(
                "request_failed",
                &[("request", &problem.request_id), ("code", problem.code.as_str()), ("detail", &problem.detail)],
            );
            // What broke inside is ours to read in the log.
            problem.detail.clear();
        }
        let body = serde_json::to_string(&problem).unwrap_or_default();
        (status, [("content-type", "application/problem+json"), ("cache-control", "no-store")], body).into_response()
    }
}
