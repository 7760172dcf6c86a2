//! Taking a bench, for the committer and for whoever looks at what it left.

use std::time::{Duration, Instant};

use setpoint_store::{BenchFolder, FolderLock, StoreError};

/// The lock of a bench that nobody has open. A program that another test starts at this moment
/// holds a copy of an earlier lock until it is what it is to be.
pub fn locked(folder: &BenchFolder) -> Result<FolderLock, StoreError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match folder.lock() {
            Err(StoreError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            lock => return lock,
        }
    }
}
