//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::peers::locked;

/// The places there are.
pub(crate) struct Slots {
    max: usize,
    per_address_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that is taken, until it is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl Slots {
    pub(crate) fn new(max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            per_address_max,
            taken: Mutex::default(),
        })
    }

    /// Takes a place for a connection from `address`; none when too many are taken.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let address = address.to_canonical();
        let mut taken = locked(&self.taken);
        let of_address = taken.get(&address).copied().unwrap_or(0);
        if taken.values().sum::<usize>() >= self.max || of_address >= self.per_address_max {
            return None;
        }
        taken.insert(address, of_address.saturating_add(1));
        Some(Slot {
            slots: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = locked(&self.slots.taken);
        match taken.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                taken.remove(&self.address);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_the_places_of_others() {
        let slots = Slots::new(3, 2);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = slots.take(one);
        let second = slots.take(one);
        assert!(first.is_some() && second.is_some() && slots.take(one).is_none());
        let third = slots.take(other);
        assert!(
            third.is_some() && slots.take(other).is_none(),
            "all are taken"
        );
        drop(first);
        assert!(slots.take(other).is_some());
        assert!(slots.take("::ffff:192.0.2.1".parse().unwrap()).is_some());
    }
}
