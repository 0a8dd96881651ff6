//! Payment providers: one module per provider.

pub mod sandbox;

pub use sandbox::{
    Behaviour, BookCopy, BookedPayment, DirectSandbox, HandedNotification, Outcome,
    RefundBehaviour, Sandbox, SandboxBook, SandboxFault, SandboxProvider, SandboxServer,
    SandboxSettings,
};
