//! Opening a socket or a serial line.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_serial::{DataBits, FlowControl, Parity as PortParity, SerialStream, StopBits};

use crate::{
    address::Address,
    driver::{Flow, Parity, SerialLine},
    duration,
};

/// How long opening may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What bytes go through.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why a transport could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host answers, the port does not.
    #[error("nobody listens on {address}: connection refused")]
    Refused {
        /// The address.
        address: String,
    },
    /// No answer in time.
    #[error("{address} did not answer within {}", duration::show(CONNECT_TIMEOUT))]
    Timeout {
        /// The address.
        address: String,
    },
    /// The device file is not there.
    #[error("{path} does not exist: is the device plugged in?")]
    NoSuchPort {
        /// The device file.
        path: String,
    },
    /// Someone else holds the port.
    #[error("{path} is in use by another program")]
    PortInUse {
        /// The device file.
        path: String,
    },
    /// The user may not open the port.
    #[error("{path} may not be opened by this user: add the user to the group that owns it")]
    NotAllowed {
        /// The device file.
        path: String,
    },
    /// Anything else.
    #[error("{address} could not be opened: {reason}")]
    Other {
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
}

/// Opens an address and tells where the link really goes. [`Address::Sim`] cannot be opened: a
/// simulator has an address of its own.
///
/// # Errors
/// [`TransportError`], after 3 s at the latest.
pub async fn open(address: &Address, line: &SerialLine) -> Result<Box<dyn Stream>, TransportError> {
    let shown = || address.to_string();
    let opened = match address {
        Address::Tcp { host, port } => timeout(CONNECT_TIMEOUT, tcp(host, *port)).await,
        Address::Serial { path } => timeout(CONNECT_TIMEOUT, serial(path, line)).await,
        Address::Sim => {
            let reason = "a simulator has to be started first".to_owned();
            return Err(TransportError::Other { address: shown(), reason });
        }
    };
    opened.map_err(|_| TransportError::Timeout { address: shown() })?
}

async fn tcp(host: &str, port: u16) -> Result<Box<dyn Stream>, TransportError> {
    let address = Address::Tcp { host: host.to_owned(), port }.to_string();
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportError::Refused { address: address.clone() },
        io::ErrorKind::TimedOut => TransportError::Timeout { address: address.clone() },
        _ => TransportError::Other { address: address.clone(), reason: error.to_string() },
    };
    let stream = TcpStream::connect((host, port)).await.map_err(wrong)?;
    stream.set_nodelay(true).map_err(wrong)?;
    Ok(Box::new(stream))
}

async fn serial(path: &str, line: &SerialLine) -> Result<Box<dyn Stream>, TransportError> {
    let builder = tokio_serial::new(path, line.baud)
        .data_bits(match line.bits {
            5 => DataBits::Five,
            6 => DataBits::Six,
            7 => DataBits::Seven,
            _ => DataBits::Eight,
        })
        .parity(match line.parity {
            Parity::None => PortParity::None,
            Parity::Odd => PortParity::Odd,
            Parity::Even => PortParity::Even,
        })
        .stop_bits(if line.stop == 2 { StopBits::Two } else { StopBits::One })
        .flow_control(match line.flow {
            Flow::None => FlowControl::None,
            Flow::Rtscts => FlowControl::Hardware,
            Flow::Xonxoff => FlowControl::Software,
        });
    // Opening a device file can block for as long as its driver likes.
    let opened = tokio::task::spawn_blocking(move || SerialStream::open(&builder)).await;
    let path = path.to_owned();
    let address = format!("serial://{path}");
    match opened {
        Ok(Ok(port)) => Ok(Box::new(port)),
        Ok(Err(error)) => Err(port_error(path, address, &error)),
        Err(error) => Err(TransportError::Other { address, reason: error.to_string() }),
    }
}

fn port_error(path: String, address: String, error: &tokio_serial::Error) -> TransportError {
    let exists = std::path::Path::new(&path).exists();
    match error.kind {
        _ if !exists => TransportError::NoSuchPort { path },
        tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            TransportError::NotAllowed { path }
        }
        tokio_serial::ErrorKind::Io(io::ErrorKind::ResourceBusy) => {
            TransportError::PortInUse { path }
        }
        _ if error.description.contains("lock") || error.description.contains("busy") => {
            TransportError::PortInUse { path }
        }
        _ => TransportError::Other { address, reason: error.description.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(address: &str) -> String {
        let address = address.parse().unwrap();
        open(&address, &SerialLine::default()).await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn refusals_say_what_is_missing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(
            refusal(&format!("tcp://127.0.0.1:{port}")).await,
            format!("nobody listens on tcp://127.0.0.1:{port}: connection refused")
        );
        let missing = refusal("serial:///dev/ttyNone").await;
        assert!(missing.starts_with("/dev/ttyNone does not exist"), "{missing}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_port_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = refusal(&format!("serial://{}", file.path().display())).await;
        assert!(refused.contains("could not be opened"), "{refused}");
    }
}
