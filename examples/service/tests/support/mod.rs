//! A service of its own for each test.
#![allow(dead_code)]

use std::time::Duration;

use service::config::{ServeArgs, Stores};
use service::drive::{DriveArgs, Target, grpc, lines, ws};
use service::server::Server;

/// Long enough on a busy machine; nothing is decided by it but that a test ends.
pub const LONG: Duration = Duration::from_secs(60);

/// A service on free ports, and how to reach it.
pub struct Running {
    pub server: Server,
    pub http: Target,
    pub https: Target,
    pub args: DriveArgs,
}

/// Starts one, without servers beside it.
pub async fn start() -> Running {
    start_with(ServeArgs::on_free_ports(Stores::default())).await
}

/// Starts one as `args` say.
pub async fn start_with(args: ServeArgs) -> Running {
    let server = Server::start(args).await.unwrap();
    let args = DriveArgs::of(&server);
    let http = Target::new(args.http.as_ref().unwrap(), None).unwrap();
    let https = Target::new(args.https.as_ref().unwrap(), server.pem()).unwrap();
    Running { server, http, https, args }
}

impl Running {
    /// Ends it; everything must end by itself.
    pub async fn stop(self) {
        // Clients keep their connections; the service closes the idle ones.
        self.server.stop(LONG).await.unwrap();
    }

    pub async fn grpc(&self) -> grpc::Client {
        grpc::connect(self.args.grpc.as_ref().unwrap()).await.unwrap()
    }

    pub async fn lines(&self) -> lines::Lines {
        lines::connect(self.args.lines.as_ref().unwrap()).await.unwrap()
    }

    pub async fn socket(&self, path: &str) -> ws::Socket {
        ws::connect(&self.http, path).await.unwrap()
    }
}

/// The answer to one GET: its status and text.
pub async fn get(target: &Target, path: &str) -> reqwest::Result<(u16, String)> {
    let response = target.client.get(target.url(path)).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}
