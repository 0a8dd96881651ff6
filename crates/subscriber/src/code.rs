//! Enums that are stored under a name.

/// Declares an enum without data whose cases have a code each.
macro_rules! coded {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $($(#[$case_doc:meta])* $case:ident = $code:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$case_doc])* $case),+ }

        impl $name {
            /// Every case.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// The name it is stored under.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$case => $code),+ }
            }

            /// Reads what [`code`](Self::code) wrote.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$case),)+ _ => None }
            }
        }
    };
}

pub(crate) use coded;

#[cfg(test)]
mod tests {
    use crate::{
        AnswerRefusal, Channel, EndReason, GuardScope, IdentityRefusal, IssueScope, Proof, Purpose,
        RiskyAction, Stage,
    };

    #[test]
    fn every_code_reads_back() {
        macro_rules! read_back {
            ($($name:ident),+) => {$(
                for case in $name::ALL {
                    assert_eq!($name::from_code(case.code()), Some(*case));
                }
                assert_eq!($name::from_code("no such code"), None);
            )+};
        }
        read_back!(
            AnswerRefusal,
            Channel,
            EndReason,
            GuardScope,
            IdentityRefusal,
            IssueScope
        );
        read_back!(Proof, Purpose, RiskyAction, Stage);
    }
}
