//! The use cases of subscribers, over a real store.

#[cfg(test)]
#[path = "subscriber/account.rs"]
mod account;
#[cfg(test)]
#[path = "subscriber/entrance.rs"]
mod entrance;
#[cfg(test)]
#[path = "subscriber/esim.rs"]
mod esim;
#[cfg(test)]
#[path = "subscriber/identity.rs"]
mod identity;
#[cfg(test)]
#[path = "subscriber/waiting.rs"]
mod waiting;
#[cfg(test)]
#[path = "subscriber/world.rs"]
mod world;
