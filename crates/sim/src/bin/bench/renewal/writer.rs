//! The processor time of SQLite's writer thread, which is what bounds the rate of writing: unlike
//! the time on the clock it does not grow when other programs want the same cores.

/// What the writers of this process have used so far, in nanoseconds; none where the system does
/// not tell.
pub(super) fn nanos() -> Option<u128> {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        let folder = thread.ok()?.path();
        let name = std::fs::read_to_string(folder.join("comm")).ok()?;
        if name.trim_end() == "store-writer" {
            let times = std::fs::read_to_string(folder.join("schedstat")).ok()?;
            let used: u128 = times.split_whitespace().next()?.parse().ok()?;
            sum += used;
        }
    }
    (sum > 0).then_some(sum)
}
