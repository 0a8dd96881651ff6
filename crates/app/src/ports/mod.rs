//! The seams: what use cases ask of the world. Adapters in `store` and `connectors` implement
//! these traits; nothing here names a driver, a protocol or a format.

mod books;
mod catalogues;
mod charges;
mod contacts;
mod customers;
mod desk;
mod esim;
mod identity;
mod inventory;
mod lines;
mod message;
mod network;
mod outbox;
mod payment;
mod sales;
mod store;
mod world;

pub use books::{Books, PostingCursor};
pub use catalogues::{CatalogueDocument, Catalogues};
pub use charges::{
    ChargeBooks, ChargeChanges, ChargeKey, ChargeLine, Charges, StoredRecord, Subscriber,
};
pub use contacts::{Contact, Contacts};
pub use customers::{
    AccountEvent, AccountEventKind, Credentials, CustomerSearch, Customers, Digest, IdentityChecks,
    LogIns, LoginName, SealedDocument, StoredPassword,
};
pub use desk::{
    Author, Desk, DeskCounts, DeskSince, StaffAccount, StaffAction, StaffLogEntry, StaffLogFilter,
    StaffSession, StaffSubject, Ticket, TicketMessage, TicketQueue, TicketState, VitalCounts,
};
pub use esim::{
    AnsweredCall, CancelWhy, ChipCurve, ChipEvent, ChipEventRecord, ChipFacts, ChipKey,
    ChipNotification, Discovering, DiscoveryFault, DiscoveryServers, DownloadProgress,
    ForeignEvent, HeardNotification, Hidden, InstallOutcome, OverTheAirKey, PackagingFault,
    PackedProfile, PackedVariant, ProfileMaterial, ProfilePackager, ProfileShelf, Profiles,
    ProgressFailure, ProgressListener, ProgressPoint, RspSession, ServerKind, SessionStep,
    ShownCode, StoredPackage, Telling, Transaction, Untold,
};
pub use identity::{IdentityChecker, IdentityReport, IdentityStart, IdentityStarted};
pub use inventory::{Inventory, StockCounts, StockedSim};
pub use lines::{DayUsage, Line, LineState, Lines};
pub use message::{
    Delivery, Envelope, Fate, Messenger, NotRecorded, REFERENCE_SEPARATOR, Receipt, ReceiptSink,
    Recording, SendFailure, Sending,
};
pub use network::{Asked, ClientAnswer, Reauthorizer, SessionAddress, Unreachable};
pub use outbox::{Job, Message, MessageState, Outbox, Recipient, Task};
pub use payment::{
    Asking, ChargeRequest, MandateGrant, Notification, NotificationRefusal, OpenRequest, Opened,
    PaymentProvider, ProviderEvent, ProviderFault, ProviderReport, RefundRequest, RefundStatus,
};
pub use sales::{Mandate, Sales, SeenEvent};
pub use store::{Pending, Store, StoreExt, StoreFault, Tx, Verdict, Work};
pub use world::{Clock, Entropy};
