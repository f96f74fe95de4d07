//! What this process takes of the machine.

use std::{error::Error, fs, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Returns the memory of this process that is in use.
pub fn resident_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no resident size")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no resident size")?.parse()?;
    Ok(kib / 1024.0)
}

/// Returns the processor time of all threads of this process.
pub fn busy() -> Result<Duration> {
    let mut busy = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        busy += Duration::from_nanos(times.split(' ').next().ok_or("no times")?.parse()?);
    }
    Ok(busy)
}
