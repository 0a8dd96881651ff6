//! Is the peer still there? The algorithm of RFC 3539, as data in and data out.

use simurgh_vocab::{Duration, Timestamp};

/// The shortest interval that is allowed.
///
/// Source: RFC 3539 §3.4.1
pub const INTERVAL_MIN: Duration = Duration::seconds(6);

/// How far an interval may be off in each direction, in microseconds, so that peers do not beat together.
const JITTER_MICROS: i64 = 2_000_000;

/// What is known about a connection.
///
/// Source: RFC 3539 §3.4.1
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has never been up.
    Initial,
    /// It works.
    Okay,
    /// A watchdog was not answered; use another.
    Suspect,
    /// It is closed.
    Down,
    /// It is up again, and has to prove itself.
    Reopen,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A DWA came.
    Answer,
    /// Anything else came.
    Traffic,
    /// The timer ran out.
    Expired,
    /// The connection is up.
    Up,
    /// The connection is down.
    Down,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Wait,
    /// Send a DWR.
    Ask,
    /// Send nothing more here, and repeat elsewhere what is unanswered.
    FailOver,
    /// It may be used again.
    FailBack,
    /// Close it.
    Close,
    /// Try to connect.
    Connect,
}

/// The watchdog of one connection.
#[derive(Debug, Clone)]
pub struct Watchdog {
    health: Health,
    pending: bool,
    answers: i8,
    interval: Duration,
    due: Timestamp,
    random: u64,
}

impl Watchdog {
    /// A watchdog that asks after `interval` (raised to [`INTERVAL_MIN`]) of silence; `seed` makes its jitter.
    #[must_use]
    pub fn new(interval: Duration, seed: u64, now: Timestamp) -> Self {
        let mut watchdog = Self {
            health: Health::Initial,
            pending: false,
            answers: 0,
            interval: interval.max(INTERVAL_MIN),
            due: now,
            random: seed | 1,
        };
        watchdog.set(now);
        watchdog
    }

    /// What is known.
    #[must_use]
    pub const fn health(&self) -> Health {
        self.health
    }

    /// When the timer runs out.
    #[must_use]
    pub const fn due(&self) -> Timestamp {
        self.due
    }

    /// Forgets that the connection was ever up: the next one is used at once.
    pub const fn renew(&mut self) {
        self.health = Health::Initial;
    }

    /// One step of the table in RFC 3539.
    ///
    /// Source: RFC 3539 §3.4.1
    pub fn step(&mut self, sign: Sign, now: Timestamp) -> Order {
        if sign == Sign::Answer {
            self.pending = false;
        }
        match sign {
            Sign::Answer | Sign::Traffic => self.heard(sign, now),
            Sign::Expired => self.expired(now),
            Sign::Up => self.up(now),
            Sign::Down => self.down(now),
        }
    }

    fn heard(&mut self, sign: Sign, now: Timestamp) -> Order {
        match self.health {
            Health::Okay => {
                self.set(now);
                Order::Wait
            }
            Health::Suspect => self.back(now),
            Health::Reopen if sign == Sign::Answer => {
                let proven = self.answers == 2;
                self.answers = self.answers.saturating_add(1);
                if proven { self.back(now) } else { Order::Wait }
            }
            Health::Reopen | Health::Initial | Health::Down => Order::Wait,
        }
    }

    fn expired(&mut self, now: Timestamp) -> Order {
        self.set(now);
        match (self.health, self.pending) {
            (Health::Okay | Health::Reopen, false) => {
                self.pending = true;
                Order::Ask
            }
            (Health::Okay, true) => {
                self.health = Health::Suspect;
                Order::FailOver
            }
            (Health::Reopen, true) if self.answers >= 0 => {
                self.answers = -1;
                Order::Wait
            }
            (Health::Suspect, _) | (Health::Reopen, true) => {
                self.health = Health::Down;
                Order::Close
            }
            (Health::Initial | Health::Down, _) => Order::Connect,
        }
    }

    fn up(&mut self, now: Timestamp) -> Order {
        self.set(now);
        match self.health {
            Health::Initial => {
                self.health = Health::Okay;
                self.pending = false;
                Order::Wait
            }
            Health::Down => {
                self.health = Health::Reopen;
                self.answers = 0;
                self.pending = true;
                Order::Ask
            }
            Health::Okay | Health::Suspect | Health::Reopen => Order::Wait,
        }
    }

    fn down(&mut self, now: Timestamp) -> Order {
        self.set(now);
        let order = match self.health {
            Health::Okay => Order::FailOver,
            Health::Suspect | Health::Reopen => Order::Close,
            Health::Initial | Health::Down => return Order::Wait,
        };
        self.health = Health::Down;
        self.pending = false;
        order
    }

    fn back(&mut self, now: Timestamp) -> Order {
        self.health = Health::Okay;
        self.set(now);
        Order::FailBack
    }

    fn set(&mut self, now: Timestamp) {
        // xorshift64: the jitter has to differ between peers, not to be secret.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let span = JITTER_MICROS
            .unsigned_abs()
            .saturating_mul(2)
            .saturating_add(1);
        let jitter = i64::try_from(self.random % span).unwrap_or(0);
        let due = now.plus(self.interval).as_micros();
        self.due = Timestamp::from_micros(due.saturating_add(jitter).saturating_sub(JITTER_MICROS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn watchdog() -> Watchdog {
        Watchdog::new(Duration::seconds(30), 7, NOW)
    }

    fn steps(watchdog: &mut Watchdog, signs: &[Sign]) -> Vec<Order> {
        signs.iter().map(|sign| watchdog.step(*sign, NOW)).collect()
    }

    #[test]
    fn rfc3539_3_4_1_silence_is_asked_about_then_failed_over_then_closed() {
        let mut one = watchdog();
        let orders = steps(
            &mut one,
            &[Sign::Up, Sign::Expired, Sign::Expired, Sign::Expired],
        );
        assert_eq!(
            orders,
            [Order::Wait, Order::Ask, Order::FailOver, Order::Close]
        );
        assert_eq!(one.health(), Health::Down);
        assert_eq!(one.step(Sign::Expired, NOW), Order::Connect);
    }

    #[test]
    fn rfc3539_3_4_1_any_message_clears_suspicion() {
        let mut one = watchdog();
        steps(&mut one, &[Sign::Up, Sign::Expired, Sign::Expired]);
        assert_eq!(one.health(), Health::Suspect);
        assert_eq!(one.step(Sign::Traffic, NOW), Order::FailBack);
        assert_eq!(one.health(), Health::Okay);
    }

    #[test]
    fn rfc3539_3_4_1_a_reopened_connection_answers_three_times_before_it_is_used() {
        let mut one = watchdog();
        let orders = steps(&mut one, &[Sign::Up, Sign::Down, Sign::Up]);
        assert_eq!(orders, [Order::Wait, Order::FailOver, Order::Ask]);
        let again = [
            Sign::Answer,
            Sign::Expired,
            Sign::Answer,
            Sign::Expired,
            Sign::Answer,
        ];
        let orders = steps(&mut one, &again);
        assert_eq!(orders.last(), Some(&Order::FailBack));
        assert_eq!(one.health(), Health::Okay);
    }

    #[test]
    fn rfc3539_3_4_1_a_reopened_connection_that_stays_silent_is_closed() {
        let mut one = watchdog();
        steps(&mut one, &[Sign::Up, Sign::Down, Sign::Up]);
        assert_eq!(
            steps(&mut one, &[Sign::Expired; 2]),
            [Order::Wait, Order::Close]
        );
    }

    #[test]
    fn rfc3539_3_4_1_the_interval_has_jitter_of_two_seconds_and_a_minimum() {
        let mut due: Vec<i64> = (0..64)
            .map(|seed| Watchdog::new(Duration::ZERO, seed, NOW).due().as_micros())
            .collect();
        due.sort_unstable();
        assert!(due.iter().all(|due| (4_000_000..=8_000_000).contains(due)));
        assert!(due.first() < due.last());
    }
}
