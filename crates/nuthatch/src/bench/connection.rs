//! A connection of the load. Requests are whole before the clock starts, and of an answer only what says where it ends is
//! read: the client shares its cores with the server that is measured, and must take as little of them as it can.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::client::Dsn;

/// Headers of an answer that are looked at; more is a fault.
const HEADERS_MAX: usize = 32;

/// Room for an answer: those of the routes that are loaded are far smaller.
const ANSWER_BYTES: usize = 4 << 10;

/// A whole request that posts a compressed envelope.
pub(super) fn request(dsn: &Dsn, body: &[u8]) -> Bytes {
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-sentry-envelope\r\ncontent-encoding: gzip\r\n\
         x-sentry-auth: {}\r\ncontent-length: {}\r\n\r\n",
        dsn.path,
        dsn.host,
        dsn.auth,
        body.len(),
    );
    [head.as_bytes(), body].concat().into()
}

/// A keep-alive connection.
pub(super) struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: BytesMut::with_capacity(ANSWER_BYTES) })
    }

    /// Sends a request and waits for the whole answer; its status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((status, bytes)) = answer(&self.received)? {
                self.received.advance(bytes);
                return Ok(status);
            }
            self.received.reserve(ANSWER_BYTES);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                bail!("the server closed the connection");
            }
        }
    }
}

/// Status and length of an answer, once all of it is there.
fn answer(received: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(received)? else { return Ok(None) };
    let length = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("the answer does not say how long it is")?;
    let bytes = head + std::str::from_utf8(length.value)?.parse::<usize>()?;
    Ok((received.len() >= bytes).then_some((parsed.code.unwrap_or_default(), bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_it_says() {
        let whole = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}HTTP";
        let length = whole.len() - "HTTP".len();
        assert_eq!(answer(whole).unwrap(), Some((429, length)));
        assert_eq!(answer(&whole[..length - 1]).unwrap(), None);
        assert_eq!(answer(&whole[..20]).unwrap(), None);
        assert!(answer(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(answer(b"nonsense\r\n\r\n").is_err());
    }
}
