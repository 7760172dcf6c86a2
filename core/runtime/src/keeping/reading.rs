//! One reading of the disk at a time, and an end to waiting for it: a network disk that went away
//! may answer never.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::Mutex, task::JoinHandle, time::timeout};

/// A reading that takes longer is given up, and may go on for all that.
pub(super) struct OneReading<R>(Mutex<Option<(JoinHandle<R>, Timestamp)>>);

impl<R> Default for OneReading<R> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<R: Send + 'static> OneReading<R> {
    /// Reads on a thread that may block. While one that was given up goes on, nothing is begun.
    ///
    /// # Errors
    /// Since when the disk does not answer.
    pub(super) async fn read(
        &self,
        limit: Duration,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Timestamp> {
        let mut stuck = self.0.lock().await;
        if let Some((reading, since)) = &*stuck
            && !reading.is_finished()
        {
            return Err(*since);
        }
        // What one that was given up brought in the end is out of date.
        let since = Timestamp::now();
        let (reading, _) = stuck.insert((tokio::task::spawn_blocking(work), since));
        let Ok(done) = timeout(limit, reading).await else { return Err(since) };
        *stuck = None;
        match done {
            Ok(read) => Ok(read),
            // A panic in the reader: passed on, as the task's own would be.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_reading_that_hangs_is_given_up_and_no_other_is_begun_until_it_ends() {
        let readings = OneReading::default();
        let (answer, disk) = mpsc::sync_channel::<()>(1);
        let (ended, end) = tokio::sync::oneshot::channel();
        let hangs = move || {
            let _ = disk.recv();
            let _ = ended.send(());
            1
        };
        let since = readings.read(SHORT, hangs).await.unwrap_err();
        for _ in 0..3 {
            let another = readings.read(LONG, || panic!("a second reading was begun")).await;
            assert_eq!(another, Err(since));
        }
        answer.send(()).unwrap();
        end.await.unwrap();
        // The thread has answered and is about to be free.
        let read = async {
            loop {
                match readings.read(LONG, || 2).await {
                    Ok(read) => break read,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        assert_eq!(timeout(LONG, read).await.unwrap(), 2);
    }
}
