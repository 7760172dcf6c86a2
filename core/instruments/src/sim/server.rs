//! The simulated device on a loopback socket.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Conversation, Shared};
use crate::driver::Wire;

/// Serves whoever connects, all of them the same device, until it is aborted.
pub(super) async fn listen(listener: TcpListener, device: Shared, wire: Wire) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    clients.spawn(serve(stream, Conversation::new(device.clone(), wire.clone())));
                }
                Err(error) => {
                    tracing::warn!("simulated instrument: a client could not connect: {error}");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn serve(mut stream: TcpStream, mut conversation: Conversation) {
    let mut chunk = [0; 4096];
    // Without it a reply that follows another waits for an acknowledgement.
    let _ = stream.set_nodelay(true);
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let replies = conversation.take(&chunk[..count]);
        if !replies.is_empty() && stream.write_all(&replies).await.is_err() {
            return;
        }
    }
}
