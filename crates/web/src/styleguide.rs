//! The style guide.
use crate::frame::{Balance, Form, Page, Tone};
use simurgh_vocab::Money;
#[derive(askama::Template)]
#[template(path = "static/design.html")]
struct Design {
    page: Page,
    form: Form,
    data: Balance,
    voice: Balance,
    price: Money,
}
