//! Errors in words: what is true, what it means, what to do. A code is worded here, never the Worker's prose.

use leptos::prelude::*;
use mailroom_shared::api::ProblemCode;

use crate::api::ApiError;
use crate::i18n;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;

/// One sentence.
pub fn problem_text(error: &ApiError) -> String {
    match error {
        ApiError::Offline => t!("problem.offline"),
        ApiError::Decode(_) => t!("problem.decode"),
        ApiError::Problem(problem) => {
            let seconds = problem.retry_after.unwrap_or(60);
            t!(&format!("problem.{}", problem.code.as_str()), seconds = seconds)
        }
    }
}

/// What to quote in a report.
pub fn problem_code(error: &ApiError) -> String {
    match error {
        ApiError::Offline => String::new(),
        ApiError::Decode(detail) => detail.clone(),
        ApiError::Problem(problem) if problem.request_id.is_empty() => problem.code.as_str().to_owned(),
        ApiError::Problem(problem) => format!("{} · {}", problem.code.as_str(), problem.request_id),
    }
}

/// The sentence for a field of a form that the Worker said is wrong.
pub fn field_error(error: Option<&ApiError>, field: &str) -> Option<String> {
    let Some(ApiError::Problem(problem)) = error else { return None };
    let found = problem.fields.iter().find(|it| it.field == field)?;
    let key = if found.key.starts_with("field.") { found.key.clone() } else { format!("field.{}", found.key) };
    let args: Vec<(&str, &str)> = found.args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Some(i18n::try_text(&key, &args).unwrap_or_else(|| t!("problem.invalid")))
}

/// Whether a form's own fields tell the problem already.
pub fn is_told_by_fields(error: &ApiError) -> bool {
    matches!(error, ApiError::Problem(problem) if problem.code == ProblemCode::Invalid && !problem.fields.is_empty())
}

/// A failed write.
pub fn toast_problem(toasts: Toasts, error: &ApiError) {
    let toast = Toast::new(Glyph::Alert, problem_text(error)).detail(problem_code(error));
    toasts.show(toast.bad());
}

/// Instead of a surface that can't be read.
#[component]
pub fn ProblemBlank(error: ApiError, #[prop(into)] on_retry: Callback<()>) -> AnyView {
    let is_missing = error.code() == Some(ProblemCode::NotFound);
    // Only the browser can exchange this page for the one that fits the server.
    let is_old = matches!(error, ApiError::Decode(_));
    let title = if is_missing { t!("problem.missing.title") } else { t!("problem.title") };
    let text = problem_text(&error);
    let code = problem_code(&error);
    let art = if is_missing { Art::Search } else { Art::Error };
    view! {
        <Blank art title text code>
            {if is_missing {
                view! { <a class="btn" href="/">{t!("problem.missing.back")}</a> }.into_any()
            } else if is_old {
                let reload = |()| drop(window().location().reload());
                view! { <Button kind=Kind::Primary icon=Glyph::Retry text=t!("ui.reload") on_press=reload/> }.into_any()
            } else {
                view! {
                    <Button kind=Kind::Primary icon=Glyph::Retry text=t!("ui.retry") on_press=on_retry/>
                }
                .into_any()
            }}
        </Blank>
    }
    .into_any()
}

/// Above a surface that shows what was read before.
#[component]
pub fn StaleNotice(error: ApiError, #[prop(into)] on_retry: Callback<()>) -> AnyView {
    let (weight, icon) = match error {
        ApiError::Offline => (Weight::Warn, Glyph::Offline),
        ApiError::Problem(_) | ApiError::Decode(_) => (Weight::Bad, Glyph::Alert),
    };
    let text = format!("{} {}", t!("problem.stale"), problem_text(&error));
    view! {
        <Notice class="mb-3" weight icon text>
            <Button icon=Glyph::Retry text=t!("ui.retry") on_press=on_retry/>
        </Notice>
    }
    .into_any()
}

/// Above the buttons of a form.
#[component]
pub fn FormProblem(error: Signal<Option<ApiError>>) -> AnyView {
    view! {
        {move || {
            error
                .get()
                .filter(|it| !is_told_by_fields(it))
                .map(|it| view! { <Notice weight=Weight::Bad icon=Glyph::Alert text=problem_text(&it)/> })
        }}
    }
    .into_any()
}
