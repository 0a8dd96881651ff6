//! Requests that wait for their answer: ids, time-outs, and what is repeated elsewhere on fail-over.

use std::collections::{HashMap, VecDeque};

use simurgh_vocab::{Duration, Timestamp};

use crate::frame::{Header, Ids, retransmit};

/// Where ids come from.
#[derive(Debug, Clone)]
pub struct Sequence {
    next: Ids,
}

impl Sequence {
    /// Ids that start at a random place; those from end to end also by the time, so that a restart does not
    /// repeat them.
    ///
    /// Source: RFC 6733 §3
    #[must_use]
    pub fn new(random: u64, now: Timestamp) -> Self {
        let seconds = now.as_unix_seconds().unsigned_abs();
        let end_to_end = ((seconds & 0xfff) << 20) | (random & 0xf_ffff);
        let low = |value: u64| (value & 0xffff_ffff) as u32;
        Self {
            next: Ids {
                hop_by_hop: low(random >> 32),
                end_to_end: low(end_to_end),
            },
        }
    }

    /// Ids for a new request.
    pub fn take(&mut self) -> Ids {
        let ids = self.next;
        self.next.end_to_end = ids.end_to_end.wrapping_add(1);
        self.take_hop_by_hop();
        ids
    }

    /// A hop-by-hop id for a request that keeps its id from end to end.
    pub fn take_hop_by_hop(&mut self) -> u32 {
        let id = self.next.hop_by_hop;
        self.next.hop_by_hop = id.wrapping_add(1);
        id
    }
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// The request as it was sent.
    pub request: Vec<u8>,
    /// What the caller needs to know when the answer comes.
    pub context: T,
    end_to_end: u32,
    due: Timestamp,
}

impl<T> Waiting<T> {
    /// Makes the request ready for another connection: the T flag set, a hop-by-hop id of that connection,
    /// and the same id from end to end.
    ///
    /// Source: RFC 6733 §5.5.4
    pub fn repeat(&mut self, sequence: &mut Sequence) -> Ids {
        let hop_by_hop = sequence.take_hop_by_hop();
        retransmit(&mut self.request, hop_by_hop);
        Ids {
            hop_by_hop,
            end_to_end: self.end_to_end,
        }
    }
}

/// The table is full: too much is unanswered. Send nothing until something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for an answer")]
pub struct Full;

/// The requests of one connection that wait, oldest first.
#[derive(Debug)]
pub struct Transactions<T> {
    waiting: HashMap<u32, Waiting<T>>,
    /// In the order of their time-outs, which is the order of sending. Answered ones are dropped late.
    order: VecDeque<(Timestamp, u32)>,
    patience: Duration,
    waiting_max: usize,
}

impl<T> Transactions<T> {
    /// A table for at most `waiting_max` requests, each waiting for `patience` (Tx: 10 s).
    ///
    /// Source: RFC 8506 §13
    #[must_use]
    pub fn new(patience: Duration, waiting_max: usize) -> Self {
        Self {
            waiting: HashMap::new(),
            order: VecDeque::new(),
            patience,
            waiting_max,
        }
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Notes a request that is about to be sent.
    ///
    /// # Errors
    /// [`Full`], or the hop-by-hop id is still in use.
    pub fn sent(
        &mut self,
        ids: Ids,
        request: Vec<u8>,
        context: T,
        now: Timestamp,
    ) -> Result<(), Full> {
        if self.waiting.len() >= self.waiting_max || self.waiting.contains_key(&ids.hop_by_hop) {
            return Err(Full);
        }
        let due = now.plus(self.patience);
        let waiting = Waiting {
            request,
            context,
            end_to_end: ids.end_to_end,
            due,
        };
        self.waiting.insert(ids.hop_by_hop, waiting);
        self.order.push_back((due, ids.hop_by_hop));
        // Answered ones in the middle are swept when they outnumber what waits, so the queue stays small.
        if self.order.len() > self.waiting.len().saturating_mul(2).saturating_add(16) {
            let waiting = &self.waiting;
            self.order
                .retain(|(due, id)| is_current(waiting, *due, *id));
        }
        Ok(())
    }

    /// Takes what an answer is for. Nothing, when nobody waits for it: it came too late, or never was asked.
    pub fn answered(&mut self, answer: &Header) -> Option<Waiting<T>> {
        let id = answer.ids.hop_by_hop;
        let end_to_end = self.waiting.get(&id)?.end_to_end;
        if end_to_end != answer.ids.end_to_end {
            return None;
        }
        self.waiting.remove(&id)
    }

    /// Takes the next one that has waited too long.
    pub fn expired(&mut self, now: Timestamp) -> Option<Waiting<T>> {
        while let Some((due, id)) = self.order.front().copied() {
            if !is_current(&self.waiting, due, id) {
                self.order.pop_front();
            } else if due <= now {
                self.order.pop_front();
                return self.waiting.remove(&id);
            } else {
                return None;
            }
        }
        None
    }

    /// When the next one will have waited too long.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let mut order = self.order.iter();
        order
            .find(|(due, id)| is_current(&self.waiting, *due, *id))
            .map(|(due, _)| *due)
    }

    /// Takes all of them, in the order in which they were sent: the connection failed.
    pub fn fail_over(&mut self) -> Vec<Waiting<T>> {
        let order = std::mem::take(&mut self.order);
        let mut failed: Vec<_> = order
            .into_iter()
            .filter_map(|(due, id)| {
                is_current(&self.waiting, due, id)
                    .then(|| self.waiting.remove(&id))
                    .flatten()
            })
            .collect();
        failed.shrink_to_fit();
        failed
    }
}

/// Whether a place in the queue is about a request that still waits.
fn is_current<T>(waiting: &HashMap<u32, Waiting<T>>, due: Timestamp, id: u32) -> bool {
    waiting.get(&id).is_some_and(|waiting| waiting.due == due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{FLAG_RETRANSMITTED, header};
    use crate::message::encode;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn request(ids: Ids) -> Vec<u8> {
        let mut wire = Vec::new();
        let body = crate::base::DeviceWatchdogRequest::default();
        encode(&mut wire, ids, &body).unwrap();
        wire
    }

    fn table_of(count: u32) -> (Sequence, Transactions<u32>) {
        let mut sequence = Sequence::new(0xffff_ffff_0000_0001, at(0));
        let mut table = Transactions::new(Duration::seconds(10), 4);
        for context in 0..count {
            let ids = sequence.take();
            let now = at(i64::from(context));
            table.sent(ids, request(ids), context, now).unwrap();
        }
        (sequence, table)
    }

    #[test]
    fn rfc6733_3_ids_wrap_and_those_from_end_to_end_hold_the_time() {
        let mut sequence = Sequence::new(0xffff_ffff_0000_0001, at(0x1abc));
        let (first, second) = (sequence.take(), sequence.take());
        assert_eq!((first.hop_by_hop, second.hop_by_hop), (u32::MAX, 0));
        assert_eq!(
            (first.end_to_end, second.end_to_end),
            (0xabc0_0001, 0xabc0_0002)
        );
    }

    #[test]
    fn an_answer_is_matched_by_both_ids_and_once() {
        let (_, mut table) = table_of(2);
        let mut answer = header(&table.waiting[&u32::MAX].request).unwrap().answer();
        answer.ids.end_to_end += 1;
        assert_eq!(table.answered(&answer), None);
        answer.ids.end_to_end -= 1;
        assert_eq!(table.answered(&answer).map(|one| one.context), Some(0));
        assert_eq!(table.answered(&answer), None);
        assert_eq!(table.due(), Some(at(11)));
    }

    #[test]
    fn rfc8506_13_what_waits_longer_than_tx_is_given_up_in_order() {
        let (_, mut table) = table_of(3);
        assert_eq!(table.expired(at(9)), None);
        let given_up: Vec<_> = std::iter::from_fn(|| table.expired(at(11))).collect();
        assert_eq!(
            given_up.iter().map(|one| one.context).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_full_table_refuses() {
        let (mut sequence, mut table) = table_of(4);
        let ids = sequence.take();
        assert_eq!(table.sent(ids, Vec::new(), 9, at(0)), Err(Full));
    }

    #[test]
    fn rfc6733_5_5_4_fail_over_repeats_with_the_t_flag_and_the_same_end_to_end_id() {
        let (_, mut table) = table_of(3);
        let mut other = Sequence::new(5 << 32, at(0));
        let mut failed = table.fail_over();
        assert!(table.is_empty());
        for (place, one) in failed.iter_mut().enumerate() {
            assert_eq!(one.context as usize, place);
            let before = header(&one.request).unwrap();
            let ids = one.repeat(&mut other);
            let after = header(&one.request).unwrap();
            assert_eq!(after.ids, ids);
            assert_eq!(after.ids.end_to_end, before.ids.end_to_end);
            assert_eq!(after.ids.hop_by_hop as usize, place + 5);
            assert_eq!(after.flags, before.flags | FLAG_RETRANSMITTED);
        }
    }
}
