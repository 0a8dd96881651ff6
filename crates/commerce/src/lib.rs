//! The shop: catalogue, quote, order, payment, refund, invoice, promotion, renewal.
//!
//! Everything here is a pure decision: state and input in, decision out. Nothing reads a clock, a
//! database or a request.

mod catalogue;
mod invoice;
mod order;
mod payment;
mod promotion;
mod quote;
mod refund;
mod renewal;
mod schedule;
mod selection;

pub use catalogue::{
    AddOn, Builder, BuilderStep, BuilderZone, Catalogue, CatalogueError, Dedicated, IdentityRule,
    LocalText, Offer, Prices, Tax, Term, Tier, Zone,
};
pub use invoice::{Document, DocumentKind, DocumentLine, DocumentNumber};
pub use order::{CloseReason, Order, OrderState, OrderTransition};
pub use payment::{
    Failure, MethodKind, Observation, Payment, PaymentState, ProviderStatus, RetryClass,
    Settlement, settle,
};
pub use promotion::{Promotion, PromotionRefusal, PromotionUse, Reduction};
pub use quote::{
    Execution, LineKind, Quote, QuoteContext, QuoteLine, QuoteRefusal, QuoteRequest, execute, quote,
};
pub use refund::{Refund, RefundReason, RefundState};
pub use renewal::{AutoRenewal, RenewalStep, next_charge, notice_at, retry_after, retry_lost};
pub use schedule::{Activation, Running, Schedule, Start, StartRefusal, schedule};
pub use selection::{Mix, ParseSelectionError, Selection};
