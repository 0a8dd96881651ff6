//! The dictionary, as data: every AVP this crate recognises, with its format.
//!
//! What is not here is unknown: refused with `DIAMETER_AVP_UNSUPPORTED` when its M bit is set, passed over
//! otherwise. It is wide on purpose, because gateways set the M bit on much that no charging system
//! reads.

use crate::avp::Definition;

/// Declares AVPs of one vendor: constants, their keys for `match`, and the look-up by code.
macro_rules! dictionary {
    (@must must) => { true };
    (@must may) => { false };
    (vendor $vendor:literal; $($konst:ident = $code:literal $name:literal $kind:ident $must:ident;)*) => {
        /// The definitions.
        pub(super) mod avps {
            use super::{Definition, Kind};
            $(
                #[doc = concat!("`", $name, "`, code ", $code, ", ", stringify!($kind), ".")]
                pub const $konst: Definition = Definition {
                    code: $code,
                    vendor: $vendor,
                    name: $name,
                    kind: Kind::$kind,
                    mandatory: dictionary!(@must $must),
                };
            )*
        }

        /// Vendor and code in one number, for patterns.
        #[expect(dead_code, reason = "not every AVP is a field of a typed message")]
        pub(crate) mod keys {
            $(pub(crate) const $konst: u64 = ($vendor << 32) | $code;)*
        }

        /// All of them, by code.
        pub(super) const ALL: &[Definition] = &[$(avps::$konst),*];

        pub(super) const fn find(code: u32) -> Option<&'static Definition> {
            match code {
                $($code => Some(&avps::$konst),)*
                _ => None,
            }
        }
    };
}

mod base;
mod threegpp;

pub use base::avps::*;
pub use threegpp::avps::*;

pub(crate) mod key {
    pub(crate) use super::base::keys::*;
    pub(crate) use super::threegpp::keys::*;
}

/// The vendor id of 3GPP.
pub const VENDOR_3GPP: u32 = 10415;

/// The definition of an AVP; `vendor` is 0 for those of the IETF.
#[must_use]
pub const fn find(vendor: u32, code: u32) -> Option<&'static Definition> {
    match vendor {
        0 => base::find(code),
        VENDOR_3GPP => threegpp::find(code),
        _ => None,
    }
}

/// Every definition, vendor by vendor, in the order of codes.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    base::ALL.iter().chain(threegpp::ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_found_by_its_code_and_named_once() {
        let mut names = std::collections::HashSet::new();
        for one in all() {
            assert_eq!(find(one.vendor, one.code), Some(one));
            assert!(names.insert(one.name), "{}", one.name);
        }
        assert_eq!(find(0, 873), None);
        assert_eq!(
            find(VENDOR_3GPP, 873).map(|one| one.name),
            Some("Service-Information")
        );
    }
}
