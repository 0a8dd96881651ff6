//! Who the customers are and how they prove it: contacts, names, passwords, one-time codes, second
//! factors, sessions, identity checks.
//!
//! Everything here is a pure decision: state and input in, decision out. Nothing reads a clock, a
//! database or a request, and nothing here computes a digest: callers hand those in, with the keys
//! they alone hold.
//!
//! Ids such as V6.5.5 name requirements of the OWASP Application Security Verification Standard
//! 5.0.0.

mod challenge;
mod code;
mod contact;
mod customer;
mod guard;
mod identity;
mod issue;
mod login_step;
mod name;
mod network;
mod password;
mod phone;
mod profile;
mod second_factor;
mod session;

pub use challenge::{AnswerRefusal, Answered, Challenge, ChallengeState, Purpose};
pub use contact::{Channel, Contact, ContactChangeRefusal};
pub use customer::{Customer, CustomerState, CustomerTransition, EmailContact, Marketing, Person};
pub use guard::{Failures, GuardDecision, GuardRule, GuardScope, may_try};
pub use identity::{
    IdentityCase, IdentityRefusal, IdentityState, IdentityTransition, Requirement, Retention,
    Reviewer, requirement,
};
pub use issue::{IssueDecision, IssueLimits, IssueScope, Limit, may_issue};
pub use login_step::{LoginStep, Proof, Stage, StepRefusal};
pub use name::{DisplayName, DisplayNameRefusal, UserName, UserNameRefusal};
pub use network::{Network, ParseNetworkError};
pub use password::{Password, PasswordContext, PasswordRefusal};
pub use phone::{
    PhoneRefusal, calling_code, countries_called, country_of, display_phone, parse_phone,
};
pub use profile::{
    BoundChip, ChipCurve, ChipFacts, ChipKey, Confirmation, OnChip, Profile, ProfileError,
    ProfileOrder, ProfilePolicy, ProfileRefusal, ProfileState,
};
pub use second_factor::{
    RECOVERY_CODES, RecoveryCode, SecondFactor, SecondFactorRefusal, TOTP_DIGITS,
    TOTP_STEP_SECONDS, candidate_steps,
};
pub use session::{EndReason, RiskyAction, Session, SessionRules, SessionState, SessionTransition};
