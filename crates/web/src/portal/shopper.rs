//! Who shops, for which line, and what the shop says to a wish.

use std::sync::Arc;

use simurgh_app::line::LineView;
use simurgh_app::ports::LineState;
use simurgh_app::sales::QuoteError;
use simurgh_app::{App, Fault};
use simurgh_commerce::{Catalogue, Quote, QuoteRefusal, QuoteRequest};
use simurgh_vocab::{CustomerId, LineId};

use super::choice::LineWish;
use crate::frame::Refusal;
use crate::state::SignedIn;

/// The customer, or a visitor, with the lines they have.
pub(super) struct Shopper {
    /// The customer; none for a visitor.
    pub(super) customer: Option<CustomerId>,
    /// The customer's lines that are not given up, oldest first.
    pub(super) lines: Vec<LineView>,
}

impl Shopper {
    /// Looks up the lines of whoever is signed in.
    pub(super) async fn of(app: &App, who: Option<SignedIn>) -> Result<Self, Refusal> {
        let Some(SignedIn { customer, .. }) = who else {
            return Ok(Self {
                customer: None,
                lines: Vec::new(),
            });
        };
        let mut lines = app.line_views(customer).await.map_err(|f| failed(&f))?;
        lines.retain(|view| match view.line.state {
            LineState::Active | LineState::Grace { .. } | LineState::Suspended { .. } => true,
            LineState::Closed { .. } => false,
        });
        Ok(Self {
            customer: Some(customer),
            lines,
        })
    }

    /// The line that is meant; none for a new one.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a line of somebody else.
    pub(super) fn line(&self, wish: LineWish) -> Result<Option<&LineView>, Refusal> {
        match wish {
            LineWish::New => Ok(None),
            LineWish::Usual => Ok(self.lines.first()),
            LineWish::This(id) => {
                let found = self.lines.iter().find(|view| view.line.id == id);
                found.map(Some).ok_or(Refusal::NotFound)
            }
        }
    }

    /// What the shop says to `request` for `line`.
    ///
    /// # Errors
    /// [`Refusal`] when there is no answer at all.
    pub(super) async fn ask(
        &self,
        app: &App,
        line: Option<LineId>,
        request: QuoteRequest,
    ) -> Result<Result<Quote, QuoteRefusal>, Refusal> {
        match app.quote(self.customer, line, request).await {
            Ok(quote) => Ok(Ok(quote)),
            Err(QuoteError::Refused(refusal)) => Ok(Err(refusal)),
            Err(QuoteError::NoSuchLine) => Err(Refusal::NotFound),
            Err(QuoteError::Fault(fault)) => Err(failed(&fault)),
        }
    }
}

/// The catalogue in force.
pub(super) async fn catalogue(app: &App) -> Result<Arc<Catalogue>, Refusal> {
    app.catalogue().await.map_err(|fault| failed(&fault))
}

/// What a visitor is told of a fault; the log has the rest.
pub(super) fn failed(fault: &Fault) -> Refusal {
    tracing::error!(%fault, "a page of the shop could not be made");
    match fault {
        Fault::Store(_) | Fault::NoCatalogue => Refusal::Unavailable,
        Fault::Invariant(_) => Refusal::Internal,
    }
}
