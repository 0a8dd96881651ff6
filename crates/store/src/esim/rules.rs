//! Facts about profiles, chips and what they reported that must agree with each other.

use crate::ledger::Rule;

/// Counts the profiles `p` of which `$broken` is true.
macro_rules! profiles {
    ($broken:expr) => {
        concat!("SELECT COUNT(*) FROM profile p WHERE ", $broken)
    };
}

/// Every rule. The names are part of the audit's output.
///
/// That no number and no token belongs to two profiles, the keys of the table see to.
pub(crate) const RULES: &[Rule] = &[
    (
        "profiles that are on two chips",
        "SELECT COUNT(*) FROM profile p WHERE EXISTS (
             SELECT 1 FROM chip_notification n
             WHERE n.profile_id = p.id AND (p.eid IS NULL OR n.eid <> p.eid))",
    ),
    (
        "profiles on another chip than ordered",
        profiles!("p.linked_eid <> p.eid"),
    ),
    (
        "downloaded profiles without a chip or its key",
        profiles!(
            "p.state IN ('downloaded', 'installed') AND (p.eid IS NULL OR p.chip_point IS NULL
             OR p.one_time_key IS NULL OR p.downloads = 0)"
        ),
    ),
    (
        "waiting profiles without a package",
        profiles!(
            "p.state IN ('released', 'downloaded') AND NOT EXISTS (
             SELECT 1 FROM profile_package k WHERE k.profile_id = p.id)"
        ),
    ),
    (
        "waiting profiles without a token or a chip",
        profiles!(
            "p.state IN ('confirmed', 'released', 'downloaded') AND p.matching_id IS NULL
             AND p.linked_eid IS NULL"
        ),
    ),
    (
        "profiles that nobody ordered with an order or a chip",
        profiles!(
            "p.state = 'available' AND (p.matching_id IS NOT NULL OR p.linked_eid IS NOT NULL
             OR p.eid IS NOT NULL OR p.downloads > 0)"
        ),
    ),
    (
        "lines with two profiles",
        "SELECT COUNT(*) FROM (
             SELECT line_id FROM profile
             WHERE line_id IS NOT NULL AND state NOT IN ('error', 'unavailable')
             GROUP BY line_id HAVING COUNT(*) > 1) l",
    ),
    (
        "packages delivered to another chip",
        "SELECT COUNT(*) FROM rsp_session s WHERE s.step = 'delivered' AND NOT EXISTS (
             SELECT 1 FROM profile p WHERE p.id = s.profile_id AND p.eid = s.eid
             AND p.downloads > 0 AND p.state NOT IN
             ('available', 'allocated', 'linked', 'confirmed'))",
    ),
];
