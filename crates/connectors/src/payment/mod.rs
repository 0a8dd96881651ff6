//! Payment providers: one module per provider.

pub mod sandbox;

pub use sandbox::{
    Behaviour, BookCopy, BookedPayment, DirectSandbox, HandedNotification, Loss, Outcome,
    RefundBehaviour, Sandbox, SandboxBook, SandboxFault, SandboxProvider, SandboxServer,
    SandboxSettings,
};
