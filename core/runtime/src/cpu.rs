//! How much processor time this program takes.

use std::time::{Duration, Instant};

/// Measures the share of one core between two looks at least a second apart.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    looked: Instant,
    used: Option<Duration>,
    percent: Option<f64>,
}

impl CpuMeter {
    pub(crate) fn new() -> Self {
        Self { looked: Instant::now(), used: used(), percent: None }
    }

    /// Percent of one core over the last second or more; `None` before the first second is over
    /// and where the system does not tell.
    pub(crate) fn percent(&mut self) -> Option<f64> {
        let passed = self.looked.elapsed();
        if passed >= Duration::from_secs(1) {
            let now = used();
            self.percent = match (self.used, now) {
                (Some(before), Some(now)) => {
                    Some((now.saturating_sub(before)).as_secs_f64() / passed.as_secs_f64() * 100.0)
                }
                _ => None,
            };
            self.used = now;
            self.looked = Instant::now();
        }
        self.percent
    }
}

/// User and system time of all threads since start. Linux: `/proc/self/schedstat` knows one
/// thread only, so `/proc/self/stat` fields 14 and 15, in ticks of 10 ms (proc(5); the tick has
/// been 100 a second on every Linux architecture Rust supports).
fn used() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets and may hold blanks.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_shows_in_the_time_used() {
        let before = used().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut sum = 0_u64;
        while used().unwrap() < before + Duration::from_millis(50) {
            for number in 0..1_000_000_u64 {
                sum = std::hint::black_box(sum.wrapping_add(number));
            }
            assert!(Instant::now() < deadline, "50 ms of work never showed");
        }
    }
}
