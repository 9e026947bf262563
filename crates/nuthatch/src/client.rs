//! A small HTTP/1.1 client with one keep-alive connection: what `demo`, `bench` and the tests send with.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Largest answer that is read.
const ANSWER_MAX_BYTES: usize = 64 << 20;

/// A connection to one server; connects again when the server closed it.
pub struct Client {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Headers.
    pub headers: http::HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; an error that shows status and body unless it was a success.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        if !self.status.is_success() {
            let text = String::from_utf8_lossy(&self.body);
            bail!("the server answered {}: {}", self.status, text.chars().take(300).collect::<String>());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

impl Client {
    /// A client for a server; connects when first used.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    /// Sends a request once. An error means that it is not known whether the server acted on it.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(request)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.sender = None;
                Err(error)
            }
            Err(_) => {
                self.sender = None;
                bail!("no answer within {} s", ANSWER_TIMEOUT.as_secs())
            }
        }
    }

    /// Sends an envelope for a DSN.
    pub async fn envelope(&mut self, dsn: &Dsn, body: Bytes, gzip: bool) -> anyhow::Result<Answer> {
        let mut request = Request::post(&dsn.path)
            .header("host", &dsn.host)
            .header("content-type", "application/x-sentry-envelope")
            .header("x-sentry-auth", &dsn.auth);
        if gzip {
            request = request.header("content-encoding", "gzip");
        }
        self.send(request.body(Full::new(body))?).await
    }

    /// Asks the web API with a token.
    pub async fn api(
        &mut self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default()))?;
        self.send(request).await
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let alive = match self.sender.as_mut() {
            Some(sender) => !sender.is_closed() && sender.ready().await.is_ok(),
            None => false,
        };
        if !alive {
            let stream =
                TcpStream::connect(self.address).await.with_context(|| format!("cannot reach {}", self.address))?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            // Its end shows as a failing request.
            tokio::spawn(async move { drop(connection.await) });
            self.sender = Some(sender);
        }
        let sender = self.sender.as_mut().context("not connected")?;
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await.map_err(|error| anyhow::anyhow!(error))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

/// A DSN, taken apart into what a request needs.
#[derive(Debug, Clone)]
pub struct Dsn {
    /// The DSN itself.
    pub text: String,
    /// Where to connect.
    pub address: SocketAddr,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) auth: String,
}

impl Dsn {
    /// Reads a DSN of a server that listens on an address without TLS.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let url = url::Url::parse(text).with_context(|| format!("{text} is not a DSN"))?;
        anyhow::ensure!(url.scheme() == "http", "only http DSNs can be used here, not {text}");
        let project = url.path().trim_matches('/').to_owned();
        anyhow::ensure!(!project.is_empty() && !url.username().is_empty(), "{text} lacks a key or a project");
        let address = url.socket_addrs(|| None)?.into_iter().next().context("the DSN's host has no address")?;
        Ok(Self {
            text: text.to_owned(),
            address,
            host: address.to_string(),
            path: format!("/api/{project}/envelope/"),
            auth: format!("Sentry sentry_key={}, sentry_version=7, sentry_client=nuthatch/0.1", url.username()),
        })
    }
}
