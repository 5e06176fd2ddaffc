//! One page: look the name up, connect, shake hands if it is https, ask, and read the answer to its
//! end.

use crate::failure::Failure;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::rt::Executor;
use hyper::{Request, Uri};
use shinkan::io::{AsyncRead, AsyncWrite};
use shinkan::net::{TcpStream, lookup_host};
use shinkan_compat::hyper::{Spawner, ToHyper};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, pki_types::ServerName};

/// Fetches one page once and returns the number of bytes of its body.
pub(crate) async fn get(url: &str, connector: &TlsConnector) -> Result<u64, Failure> {
    let address = Address::parse(url)?;
    let stream = address.connect().await?;
    if address.tls {
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| Failure::BadUrl(format!("{} can't be in a certificate", address.host)))?;
        let stream = connector.connect(name, stream).await.map_err(tls_failure)?;
        exchange(stream, &address).await
    } else {
        exchange(stream, &address).await
    }
}

/// A URL taken apart.
struct Address {
    uri: Uri,
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
}

impl Address {
    fn parse(url: &str) -> Result<Address, Failure> {
        let bad = |why: String| Failure::BadUrl(why);
        let uri: Uri =
            url.parse().map_err(|error: hyper::http::uri::InvalidUri| bad(error.to_string()))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(bad(format!("{other} is neither http nor https"))),
            None => return Err(bad("it must begin with http:// or https://".to_owned())),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad("a user name in it is not supported".to_owned()));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(bad("it names no host".to_owned()));
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Address { uri, tls, host, port })
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let addresses: Vec<_> = lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| Failure::Lookup(error.to_string()))?
            .collect();
        let failed = |error: std::io::Error| Failure::Connect(error.to_string());
        let stream = TcpStream::connect(&addresses[..]).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        Ok(stream)
    }
}

/// The HTTP part, the same over a bare and an encrypted stream.
async fn exchange<S>(stream: S, address: &Address) -> Result<u64, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Failure::Broken(chain(&error));
    let (mut sender, connection) = http1::handshake(ToHyper::new(stream)).await.map_err(broken)?;
    // The connection moves the bytes. It ends when we drop the sender, also where a timeout drops
    // it for us; its error, if it has one, is also given to the request.
    Spawner.execute(async move {
        let _ = connection.await;
    });

    let path = address.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = address.uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, "shinkan-fetch")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::BadUrl(error.to_string()))?;
    let mut response = sender.send_request(request).await.map_err(broken)?;
    if response.status().is_client_error() || response.status().is_server_error() {
        return Err(Failure::Status(response.status()));
    }

    let mut bytes = 0;
    while let Some(frame) = response.frame().await {
        bytes += frame.map_err(broken)?.data_ref().map_or(0, |data| data.len() as u64);
    }
    Ok(bytes)
}

fn tls_failure(error: std::io::Error) -> Failure {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(why)) => Failure::Certificate(why.to_string()),
        _ => Failure::Tls(error.to_string()),
    }
}

/// An error with its causes: hyper's own text seldom says what the socket said.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
