//! A page that asks why before something is done that cannot be undone.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use simurgh_app::desk::{Reason, ReasonRefusal};

use crate::frame::{Form, Page};
use crate::portal::fields::Fields;

/// What is asked, and what follows.
#[derive(Template)]
#[template(path = "console/reason.html")]
pub(super) struct ReasonPage {
    pub(super) page: Page,
    pub(super) form: Form,
    /// The question.
    pub(super) title: String,
    /// What will happen.
    pub(super) text: String,
    /// What it is about: label and value.
    pub(super) facts: Vec<(String, String)>,
    /// Where the form goes.
    pub(super) action: String,
    /// What the button says.
    pub(super) label: String,
    /// Where to go instead.
    pub(super) back: String,
}

impl ReasonPage {
    /// The page with what is wrong with the reason.
    pub(super) fn refused(mut self, fields: &Fields, text: String) -> Response {
        self.form = Form::new().fill("reason", fields.text("reason"));
        self.form.refuse("reason", text);
        let mut response = Page::answer(&self);
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        response
    }
}

/// The reason in a form, or what is wrong with it.
pub(super) fn given(page: &Page, fields: &Fields) -> Result<Reason, String> {
    Reason::parse(fields.text("reason")).map_err(|refusal| match refusal {
        ReasonRefusal::TooShort => page.t.msg("desk-reason-short"),
        ReasonRefusal::TooLong => page.t.msg("desk-reason-long"),
    })
}
