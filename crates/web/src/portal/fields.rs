//! What a browser sends: the fields of a query or of a form, and the proof that a form is ours.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use crate::frame::{Refusal, Visitor};

/// The largest form of these pages, in octets: a dozen short fields fit many times over.
pub(crate) const FORM_OCTETS_MAX: usize = 16 * 1024;

/// The fields of a query or of a form, in the order in which they came.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What the field `name` holds, without white space around it; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value.trim())
    }

    /// What the field `name` holds exactly as it came: for passwords.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value)
    }

    /// Whether the field holds something.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// What the field holds, read as `T`; `None` when it holds nothing.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`] when it holds something else: no form of ours sends that.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        match self.text(name) {
            "" => Ok(None),
            text => read(text).map(Some).ok_or(Refusal::BadRequest),
        }
    }

    /// Like [`Fields::read`], for a field that must be there.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`].
    pub(crate) fn need<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Refusal> {
        self.read(name, read)?.ok_or(Refusal::BadRequest)
    }
}

/// The fields of a page's address.
pub(crate) struct Asked(pub(crate) Fields);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let fields = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(fields) = fields.map_err(|_| Refusal::BadRequest)?;
        Ok(Self(Fields(fields)))
    }
}

/// The fields of a form that carries the visitor's token. Without the right token nothing of the
/// form is looked at.
pub(crate) struct Sent(pub(crate) Fields);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let visitor = request.extensions().get::<Visitor>();
        let token = visitor.map(|visitor| visitor.csrf.clone());
        let fields = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(fields) =
            fields.map_err(|rejection| match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Refusal::UnknownKind,
                _ => Refusal::BadRequest,
            })?;
        let fields = Fields(fields);
        let token = token.filter(|token| !token.is_empty());
        let genuine = token.is_some_and(|token| {
            verify_slices_are_equal(token.as_bytes(), fields.text("csrf").as_bytes()).is_ok()
        });
        if genuine {
            Ok(Self(fields))
        } else {
            Err(Refusal::Forbidden)
        }
    }
}

/// `path` with `pairs` as its query; empty values are left out.
pub(crate) fn href(path: &str, pairs: &[(&str, String)]) -> String {
    let mut address = path.to_owned();
    let mut join = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(join);
        address.push_str(name);
        address.push('=');
        address.push_str(&encoded(value));
        join = '&';
    }
    address
}

/// `text` for a query: everything but letters, digits and a few signs as `%XX` (RFC 3986 §2.1).
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            written.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_any_text() {
        let pairs = [
            ("item", "offer:basic".to_owned()),
            ("none", String::new()),
            ("code", "a&b=c 新".to_owned()),
        ];
        assert_eq!(
            href("/checkout", &pairs),
            "/checkout?item=offer:basic&code=a%26b%3Dc%20%E6%96%B0"
        );
    }
}
