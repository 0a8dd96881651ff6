//! What a certificate is for.

use crate::tlv::Oid;

/// The role that the policy of a certificate gives its holder.
///
/// Source: SGP.22 v2.5 annex H
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The issuer of the others: the root.
    Ci,
    /// A chip.
    Euicc,
    /// A manufacturer of chips.
    Eum,
    /// The SM-DP+ in TLS.
    DpTls,
    /// The SM-DP+ when it authenticates itself to a chip.
    DpAuth,
    /// The SM-DP+ when it binds a profile.
    DpPb,
    /// The SM-DS in TLS.
    DsTls,
    /// The SM-DS when it authenticates itself to a chip.
    DsAuth,
}

/// `2.23.146.1.2.1`
const ROLES: [u8; 6] = [0x67, 0x81, 0x12, 1, 2, 1];

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Ci,
        Self::Euicc,
        Self::Eum,
        Self::DpTls,
        Self::DpAuth,
        Self::DpPb,
        Self::DsTls,
        Self::DsAuth,
    ];

    /// What follows the common arc: the numbers of v2, and those of the chains of v3.
    const fn arcs(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Ci => (&[0], &[0]),
            Self::Euicc => (&[1], &[0, 0, 0, 0, 0]),
            Self::Eum => (&[2], &[0, 0, 0]),
            Self::DpTls => (&[3], &[0, 0, 1, 0]),
            Self::DpAuth => (&[4], &[0, 0, 1, 1]),
            Self::DpPb => (&[5], &[0, 0, 1, 2]),
            Self::DsTls => (&[6], &[0, 0, 2, 0]),
            Self::DsAuth => (&[7], &[0, 0, 2, 1]),
        }
    }

    /// The role that a policy stands for.
    #[must_use]
    pub fn of(policy: &Oid) -> Option<Self> {
        let rest = policy.as_octets().strip_prefix(&ROLES)?;
        Self::ALL.into_iter().find(|role| {
            let (v2, v3) = role.arcs();
            rest == v2 || rest == v3
        })
    }

    /// The octets of the policy in a certificate of v2.
    #[must_use]
    pub fn policy_octets(self) -> Vec<u8> {
        [&ROLES[..], self.arcs().0].concat()
    }

    /// How it is written in file names and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ci => "CI",
            Self::Euicc => "EUICC",
            Self::Eum => "EUM",
            Self::DpTls => "DPtls",
            Self::DpAuth => "DPauth",
            Self::DpPb => "DPpb",
            Self::DsTls => "DStls",
            Self::DsAuth => "DSauth",
        }
    }
}
