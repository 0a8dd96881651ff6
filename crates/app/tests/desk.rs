//! The operator's side, over a real store with the sandbox beside it.

#[cfg(test)]
#[path = "desk/duty.rs"]
mod duty;
#[cfg(test)]
#[path = "desk/look.rs"]
mod look;
#[cfg(test)]
#[path = "desk/purchase.rs"]
mod purchase;
#[cfg(test)]
#[path = "desk/receipts.rs"]
mod receipts;
#[cfg(test)]
#[path = "desk/stage.rs"]
mod stage;
#[cfg(test)]
#[path = "desk/talk.rs"]
mod talk;
