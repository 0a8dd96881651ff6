//! Selling: quote, order, payment, grant, refund, documents.
//!
//! | use case | file |
//! |---|---|
//! | price and dates without commitment | `quote.rs` |
//! | place an order | `place_order.rs` |
//! | start a payment attempt | `pay.rs` |
//! | believe a provider (notification or query) | `settle.rs` |
//! | record a payment and grant | `fulfil.rs` |
//! | close an unpaid order | `close_order.rs` |
//! | take a purchase back | `refund.rs` |
//! | stored methods | `methods.rs` |
//! | what a customer sees of it | `history.rs` |
//! | what a customer is told | `tell.rs` |

mod close_order;
mod fulfil;
mod history;
mod methods;
mod pay;
mod place_order;
mod quote;
mod refund;
mod settle;
mod tell;

pub use history::OrderDetails;
pub use pay::{PayRefusal, PayRequest, PayStarted, PayWith};
pub use place_order::{OrderRefusal, OrderRequest};
pub use quote::QuoteError;
pub use refund::{GiveBack, RefundRefusal};
pub use settle::NotifyRefusal;
pub use tell::{reason, selection_name};

pub(crate) use fulfil::net_of_tax;
pub(crate) use place_order::accepted;
pub(crate) use quote::running;
pub(crate) use refund::give_back;
pub(crate) use settle::Word;
