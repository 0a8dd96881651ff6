//! The operator's side: staff who log in, look, answer and decide; and the log of all of it.
//!
//! | use case | file |
//! |---|---|
//! | accounts of staff | `staff.rs` |
//! | log in, be on duty, log out | `log_in.rs` |
//! | the log of what staff did | `log.rs` |
//! | support tickets, from both sides | `ticket.rs` |
//! | search customers, one customer's page | `customer.rs` |
//! | what happened to a customer, in order | `timeline.rs` |
//! | identity checks that staff decides | `identity.rs` |
//! | eSIM profiles: found, looked at, withdrawn, released again | `esim.rs` |
//! | orders, and refunds that staff decides | `order.rs` |
//! | what needs attention | `overview.rs` |
//!
//! Whatever shows a customer's data writes to the log first, in the transaction that reads: what
//! cannot be recorded is not shown.

mod authenticator;
mod customer;
mod esim;
mod identity;
mod log;
mod log_in;
mod order;
mod overview;
mod staff;
mod ticket;
mod timeline;

pub use customer::{CustomerFile, Reason, ReasonRefusal, RevealedContact};
pub use esim::{FoundProfile, Possible, ProfileDeed, ProfileDeskRefusal, ProfileFile, STOCK_LOW};
pub use identity::CaseInReview;
pub use log::{LogHead, StaffLogCheck, StaffLogPage};
pub use log_in::{OnDuty, StaffLogIn, StaffLogInRefusal, StaffToken};
pub use order::{Attempt, NamedOrder, OrderFile, StaffRefundRefusal, UnsettledRefund};
pub use overview::{Attention, CatalogueInForce, Overview, STUCK_ATTEMPTS};
pub use staff::{NewStaff, StaffRefusal};
pub use ticket::{
    Conversation, NewTicket, TicketRefusal, TicketSubject, TicketText, TicketTextRefusal,
    TicketWriter,
};
pub use timeline::{Happening, Occurrence};
