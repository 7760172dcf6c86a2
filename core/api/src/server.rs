//! Binding, serving and stopping.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::DefaultBodyLimit, middleware, serve::ListenerExt};
use setpoint_runtime::Runtime;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    guard::{self, Guard},
    problem, routes,
};

/// How long calls under way may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; choose another one with --listen, port 0 takes any free one"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// There would be no secret to let callers in by.
    #[error("the token is empty: nobody could be let in")]
    NoToken,
}

/// A server that runs. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it listens; the port is the real one.
    pub address: SocketAddr,
    closing: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl ServerHandle {
    /// Takes no more calls, ends event streams, and returns when calls under way have ended, or
    /// after two seconds.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        if tokio::time::timeout(GRACE, &mut self.serving).await.is_err() {
            tracing::warn!("calls under way took too long and were cut off");
            self.serving.abort();
        }
    }
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) runtime: Runtime,
    /// Turns true, or loses its sender, when the server stops.
    pub(crate) closing: watch::Receiver<bool>,
}

/// Serves a bench on `address`; port 0 takes any free one. Must be called inside a tokio runtime.
///
/// # Errors
/// See [`ApiError`].
pub async fn serve(
    runtime: Runtime,
    address: SocketAddr,
    token: String,
) -> Result<ServerHandle, ApiError> {
    if token.is_empty() {
        return Err(ApiError::NoToken);
    }
    let bound = |cause| ApiError::Bind { address, cause };
    let listener = TcpListener::bind(address).await.map_err(bound)?;
    let address = listener.local_addr().map_err(bound)?;
    let (closing, closed) = watch::channel(false);
    let router = routes::all(Api { runtime, closing: closed.clone() });
    let router = guarded(router, Guard::new(token, address));
    let serving = tokio::spawn(run(listener, router, closed));
    Ok(ServerHandle { address, closing, serving })
}

async fn run(listener: TcpListener, router: Router, closed: watch::Receiver<bool>) {
    // Answers are small: held back until more of them are there, they would come late.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let served = axum::serve(listener, router).with_graceful_shutdown(until_closing(closed));
    if let Err(error) = served.await {
        tracing::error!(%error, "the HTTP server ended");
    }
}

/// Returns when the server stops.
pub(crate) async fn until_closing(mut closing: watch::Receiver<bool>) {
    // An error means that the handle is gone, which stops the server as well.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Puts checks and problem documents around all routes, unknown ones too.
fn guarded(router: Router, guard: Guard) -> Router {
    router
        // Handlers read bodies themselves, with a limit that answers properly.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::check))
        .layer(middleware::map_response(problem::everywhere))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::post};

    use super::*;
    use crate::{input, problem::Problem};

    /// A server with one route that answers how long its body was.
    async fn small_server() -> (ServerHandle, ureq::Agent, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (closing, closed) = watch::channel(false);
        let length = async |body: Body| -> Result<String, Problem> {
            Ok(input::bytes(body).await?.len().to_string())
        };
        let router = routes::with_fallbacks(Router::new().route("/length", post(length)));
        let router = guarded(router, Guard::new("s3cret".into(), address));
        let serving = tokio::spawn(run(listener, router, closed));
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        (ServerHandle { address, closing, serving }, agent, format!("http://{address}"))
    }

    /// Status, content type and body.
    type Answer = (u16, String, String);

    fn told(mut response: axum::http::Response<ureq::Body>) -> Answer {
        let kind = response.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        (response.status().as_u16(), kind, response.body_mut().read_to_string().unwrap())
    }

    async fn ask(call: impl FnOnce() -> Answer + Send + 'static) -> Answer {
        tokio::task::spawn_blocking(call).await.unwrap()
    }

    #[tokio::test]
    async fn every_refusal_is_a_problem_document() {
        let (server, agent, url) = small_server().await;
        for (path, token, expected) in [
            ("/length", "wrong", 401),
            ("/nowhere", "wrong", 401),
            ("/nowhere", "s3cret", 404),
            ("/length", "s3cret", 405),
        ] {
            let (agent, url) = (agent.clone(), format!("{url}{path}"));
            let (status, kind, body) = ask(move || {
                let call = agent.get(&url).header("authorization", format!("Bearer {token}"));
                told(call.call().unwrap())
            })
            .await;
            assert_eq!((status, kind.as_str()), (expected, problem::CONTENT_TYPE), "{path} {body}");
            let document: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(document["status"], expected);
            assert!(document["detail"].as_str().unwrap().len() > 5, "{document}");
        }
        server.shutdown().await;
    }

    #[tokio::test]
    async fn large_body_gets_its_answer() {
        let (server, agent, url) = small_server().await;
        let (status, kind, _) = ask(move || {
            let call = agent.post(format!("{url}/length")).header("authorization", "Bearer s3cret");
            told(call.send(vec![b'x'; input::BODY_LIMIT + 1]).unwrap())
        })
        .await;
        assert_eq!((status, kind.as_str()), (413, problem::CONTENT_TYPE));
        server.shutdown().await;
    }

    #[tokio::test]
    async fn shutdown_frees_the_port() {
        let (server, agent, url) = small_server().await;
        let address = server.address;
        let (status, _, body) = ask(move || {
            let call = agent.post(format!("{url}/length")).header("authorization", "Bearer s3cret");
            told(call.send("four").unwrap())
        })
        .await;
        assert_eq!((status, body.as_str()), (200, "4"));
        server.shutdown().await;
        assert!(TcpListener::bind(address).await.is_ok());
    }
}
