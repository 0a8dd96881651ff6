//! When the next part may be sent: our own rate, and the pauses a busy message centre asks for.

use std::time::Duration;

use tokio::time::Instant;

/// A pause that doubles with each failure and has a longest value. There is no jitter: one
/// connection per program gives nobody to collide with, and tests and operators can predict it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// The pause to make now.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = pause.saturating_mul(2);
        pause
    }

    /// It went well: the next pause is the first again.
    pub(super) const fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Spaces the parts evenly.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next_at: Instant,
    paused_until: Instant,
    backoff: Backoff,
}

impl Pace {
    pub(super) const fn new(interval: Duration, backoff: Backoff, now: Instant) -> Self {
        Self {
            interval,
            next_at: now,
            paused_until: now,
            backoff,
        }
    }

    /// The earliest time for the next part.
    pub(super) fn next_at(&self) -> Instant {
        self.next_at.max(self.paused_until)
    }

    /// A part was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next_at = self.next_at.max(now) + self.interval;
    }

    /// A part was taken: the message centre is not busy any more.
    pub(super) const fn taken(&mut self) {
        self.backoff.reset();
    }

    /// The message centre is busy. All the parts of a full window may come back so; together they
    /// make one pause.
    pub(super) fn busy(&mut self, now: Instant) {
        if now >= self.paused_until {
            self.paused_until = now + self.backoff.pause();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_to_the_longest_and_start_again() {
        let mut backoff = Backoff::new(SECOND, SECOND * 5);
        let pauses: Vec<u64> = (0..5).map(|_| backoff.pause().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.pause(), SECOND);
    }

    #[test]
    fn a_window_of_refusals_makes_one_pause() {
        let start = Instant::now();
        let mut pace = Pace::new(SECOND / 10, Backoff::new(SECOND, SECOND * 60), start);
        pace.sent(start);
        pace.sent(start);
        assert_eq!(pace.next_at(), start + SECOND / 5);
        for _ in 0..10 {
            pace.busy(start);
        }
        assert_eq!(pace.next_at(), start + SECOND);
        pace.busy(start + SECOND);
        assert_eq!(pace.next_at(), start + SECOND * 3);
        pace.taken();
        pace.busy(start + SECOND * 3);
        assert_eq!(pace.next_at(), start + SECOND * 4);
    }
}
