//! Accepts connections: bounded in number, with a bound on how long a client may take over the head of a request, and
//! drained at shutdown within a bound.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Pause after the system refused to accept (out of file descriptors), so that it can recover.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Files that the stores may need to have open at a time: connections must not take them away.
const STORE_FILES: usize = 512;

/// As many connections as wanted, unless they would take the files that the stores need; at least one.
pub(super) fn connections_within(files_max: usize, wanted: usize) -> usize {
    let most = files_max.saturating_sub(STORE_FILES).max(1);
    if wanted > most {
        tracing::warn!(
            wanted,
            taken = most,
            files_max,
            "the system allows fewer open files than server.connections_max needs; raise the limit (ulimit -n)"
        );
    }
    wanted.min(most)
}

/// Bounds of the accept loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct AcceptLimits {
    /// Most connections at once.
    pub connections_max: usize,
    /// Time for the head of a request.
    pub header_timeout: Duration,
    /// Time for open requests to finish at shutdown.
    pub drain_timeout: Duration,
}

/// Serves until told to stop, then lets open requests finish.
pub(super) async fn accept(listener: TcpListener, router: Router, limits: AcceptLimits, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.header_timeout);
    loop {
        // The permit comes first: beyond the bound, clients wait in the kernel's queue instead of in our memory.
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        // Small answers must not wait for more to send; a socket that refuses still works, only slower.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service =
            hyper::service::service_fn(move |request: Request<Incoming>| serve(router.clone(), request, peer));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(limits.drain_timeout) => tracing::warn!("requests did not finish in time, closing"),
    }
}

async fn serve(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<http::Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(nuthatch_intake::collapse_slashes(request)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_stores() {
        assert_eq!(connections_within(20_000, 16_384), 16_384);
        assert_eq!(connections_within(1_024, 16_384), 512);
        assert_eq!(connections_within(100, 16_384), 1);
        assert_eq!(connections_within(usize::MAX, 7), 7);
    }
}
