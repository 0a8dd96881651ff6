//! When a plan begins and ends. A quote and its execution both come through here, which is why
//! they agree.

use std::fmt;
use std::str::FromStr;

use simurgh_vocab::{Duration, Period, Timestamp};

/// How a plan may be started on a line without a running plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// At once.
    Now,
    /// When the line is first used, at most [`Activation::DEADLINE`] after the purchase.
    FirstUse,
    /// On a day the customer chooses, at most [`Activation::DEADLINE`] ahead.
    OnDate,
}

impl Activation {
    /// How long a plan may wait to be started.
    pub const DEADLINE: Duration = Duration::days(180);

    /// Every way.
    pub const ALL: [Self; 3] = [Self::Now, Self::FirstUse, Self::OnDate];

    /// The name it is stored under.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::FirstUse => "first-use",
            Self::OnDate => "on-date",
        }
    }

    /// Reads what [`code`](Self::code) wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.code() == code)
    }
}

/// When the customer wants the plan to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Start {
    /// Now. What is left of a running plan is given up.
    Now,
    /// Add to the running plan: both allowances can be used at once, and everything ends one term
    /// later than the running plan would have.
    Add,
    /// When the plans bought so far have ended.
    Queue,
    /// When the line is first used.
    FirstUse,
    /// At a point in time.
    On(Timestamp),
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Add => f.write_str("add"),
            Self::Queue => f.write_str("queue"),
            Self::FirstUse => f.write_str("first-use"),
            Self::On(at) => write!(f, "on:{}", at.as_micros()),
        }
    }
}

impl FromStr for Start {
    type Err = StartRefusal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None => match text {
                "now" => Ok(Self::Now),
                "add" => Ok(Self::Add),
                "queue" => Ok(Self::Queue),
                "first-use" => Ok(Self::FirstUse),
                _ => Err(StartRefusal::NotOffered),
            },
            Some(("on", at)) => at
                .parse()
                .map(|micros| Self::On(Timestamp::from_micros(micros)))
                .map_err(|_| StartRefusal::NotOffered),
            Some(_) => Err(StartRefusal::NotOffered),
        }
    }
}

/// The plan a line has, as far as starting another one is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// What was bought, in the form of [`Selection`](crate::Selection).
    pub selection: String,
    /// When the running plan ends; none while it waits for first use.
    pub ends_at: Option<Timestamp>,
    /// When everything bought so far has ended; none while something waits for first use.
    pub last_end: Option<Timestamp>,
}

/// When the periods of a purchase are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// The periods are known.
    Fixed {
        /// The periods, in order.
        periods: Vec<Period>,
    },
    /// The running plan is extended: its end moves, and the new allowance can be used from `start`
    /// until the new end.
    Extended {
        /// From now to the new end.
        period: Period,
    },
    /// The periods begin with first use, at the latest at `activate_by`.
    OnFirstUse {
        /// When the plan starts by itself.
        activate_by: Timestamp,
        /// How many periods follow.
        periods: u32,
        /// How long each lasts.
        validity: Duration,
    },
}

impl Schedule {
    /// When the purchase ends; none if that depends on first use.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::Fixed { periods } => periods.last().map(|period| period.end),
            Self::Extended { period } => Some(period.end),
            Self::OnFirstUse { .. } => None,
        }
    }

    /// When the purchase starts; none if that depends on first use.
    #[must_use]
    pub fn starts_at(&self) -> Option<Timestamp> {
        match self {
            Self::Fixed { periods } => periods.first().map(|period| period.start),
            Self::Extended { period } => Some(period.start),
            Self::OnFirstUse { .. } => None,
        }
    }
}

/// Why a plan cannot start as wished. Precedence as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartRefusal {
    /// The plan is not offered with this kind of start.
    #[error("this plan cannot be started that way")]
    NotOffered,
    /// There is no running plan to add to or to follow.
    #[error("there is no running plan")]
    NothingRunning,
    /// Only the same plan can be added to a running one.
    #[error("only the same plan can be added to the running one")]
    DifferentPlan,
    /// A plan runs or waits: it must be added to, followed or replaced.
    #[error("a plan runs already")]
    AlreadyRunning,
    /// The chosen day is past or too far ahead.
    #[error("the chosen day is past or too far ahead")]
    DateOutOfRange,
}

/// What is to be scheduled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) selection: &'a str,
    pub(crate) start: Start,
    pub(crate) periods: u32,
    pub(crate) validity_days: u32,
    pub(crate) activations: &'a [Activation],
}

/// Computes the periods of `order_of` periods of `validity_days` each, started as wished.
///
/// # Errors
/// [`StartRefusal`].
pub(crate) fn plan(
    wish: &Wish<'_>,
    running: Option<&Running>,
    now: Timestamp,
) -> Result<Schedule, StartRefusal> {
    let validity = Duration::days(wish.validity_days);
    let from = |start| Schedule::Fixed {
        periods: consecutive(start, wish.periods, validity),
    };
    let offered = |way| {
        if wish.activations.contains(&way) {
            Ok(())
        } else {
            Err(StartRefusal::NotOffered)
        }
    };
    match (wish.start, running) {
        (Start::Now, Some(_)) => Ok(from(now)),
        (Start::Now, None) => offered(Activation::Now).map(|()| from(now)),
        (Start::Add | Start::Queue, None) => Err(StartRefusal::NothingRunning),
        (Start::Add, Some(running)) => {
            let ends_at = running.ends_at.ok_or(StartRefusal::NothingRunning)?;
            if running.selection != wish.selection {
                return Err(StartRefusal::DifferentPlan);
            }
            if running.last_end != running.ends_at {
                return Err(StartRefusal::AlreadyRunning);
            }
            let end = ends_at.plus(validity.times(wish.periods));
            Ok(Schedule::Extended {
                period: Period { start: now, end },
            })
        }
        (Start::Queue, Some(running)) => {
            let after = running.last_end.ok_or(StartRefusal::NothingRunning)?;
            Ok(from(after.max(now)))
        }
        (Start::FirstUse | Start::On(_), Some(_)) => Err(StartRefusal::AlreadyRunning),
        (Start::FirstUse, None) => offered(Activation::FirstUse).map(|()| Schedule::OnFirstUse {
            activate_by: now.plus(Activation::DEADLINE),
            periods: wish.periods,
            validity,
        }),
        (Start::On(at), None) => {
            offered(Activation::OnDate)?;
            let latest = now.plus(Activation::DEADLINE);
            if at < now.minus(Duration::days(1)) || at > latest {
                return Err(StartRefusal::DateOutOfRange);
            }
            Ok(from(at.max(now)))
        }
    }
}

/// `count` periods in a row from `start`.
#[must_use]
pub fn schedule(start: Timestamp, count: u32, validity: Duration) -> Vec<Period> {
    consecutive(start, count, validity)
}

fn consecutive(start: Timestamp, count: u32, validity: Duration) -> Vec<Period> {
    (0..count)
        .map(|index| Period {
            start: start.plus(validity.times(index)),
            end: start.plus(validity.times(index + 1)),
        })
        .collect()
}
