//! What every kind of store must do with each aggregate.

mod books;
mod chips;
mod lines;
pub(crate) mod make;
mod outbox;
mod sales;
