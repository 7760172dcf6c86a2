//! The simulated device on a pseudo-terminal.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use tokio::io::unix::AsyncFd;

use super::{Conversation, Shared};
use crate::driver::Wire;

/// How often it is looked whether someone opened the other end again.
const LOOK: Duration = Duration::from_millis(20);

/// A pseudo-terminal in raw mode: its master end, and the path of the end to be opened.
pub(super) fn open() -> io::Result<(OwnedFd, String)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?;
    let mut settings = tcgetattr(&master)?;
    settings.make_raw();
    tcsetattr(&master, OptionalActions::Now, &settings)?;
    fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
    Ok((master, path.to_string_lossy().into_owned()))
}

/// Serves whoever opens the other end, one after another, until it is aborted.
pub(super) async fn serve(mut master: OwnedFd, device: Shared, wire: Wire) -> io::Result<()> {
    let mut conversation = Conversation::new(device, wire);
    loop {
        #[allow(
            deprecated,
            reason = "its replacement is unsafe; an OwnedFd keeps what it promises: it stays open"
        )]
        let open = AsyncFd::new(master)?;
        let ended = converse(&open, &mut conversation).await;
        master = open.into_inner();
        ended?;
        conversation.forget();
        // With the other end closed the master is readable for ever and says EIO.
        let mut chunk = [0; 256];
        loop {
            match rustix::io::read(&master, &mut chunk) {
                Err(Errno::IO) => tokio::time::sleep(LOOK).await,
                Ok(count @ 1..) => {
                    // Someone was quick to open it and has said something already.
                    write_now(&master, &conversation.take(&chunk[..count]));
                    break;
                }
                Ok(0) | Err(_) => break,
            }
        }
    }
}

/// Until the other end is closed.
async fn converse(master: &AsyncFd<OwnedFd>, conversation: &mut Conversation) -> io::Result<()> {
    let mut chunk = [0; 4096];
    loop {
        let mut ready = master.readable().await?;
        let read = ready.try_io(|fd| rustix::io::read(fd, &mut chunk).map_err(io::Error::from));
        let count = match read {
            Err(_would_block) => continue,
            Ok(Err(error)) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
                return Ok(());
            }
            Ok(Err(error)) => return Err(error),
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(count)) => count,
        };
        let replies = conversation.take(&chunk[..count]);
        let mut rest = &replies[..];
        while !rest.is_empty() {
            let mut ready = master.writable().await?;
            match ready.try_io(|fd| rustix::io::write(fd, rest).map_err(io::Error::from)) {
                Err(_would_block) => {}
                Ok(Ok(count)) => rest = &rest[count..],
                Ok(Err(_)) => return Ok(()),
            }
        }
    }
}

fn write_now(master: &OwnedFd, bytes: &[u8]) {
    if let Err(error) = rustix::io::write(master, bytes) {
        tracing::debug!("simulated serial line: reply lost: {error}");
    }
}
