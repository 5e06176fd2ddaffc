//! Checks of the line protocol.

use anyhow::{Context, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_util::codec::{Framed, LinesCodec};

use super::Seen;

/// A client's side: lines both ways.
pub type Lines = Framed<TcpStream, LinesCodec>;

/// Connects to `address`.
pub async fn connect(address: &str) -> anyhow::Result<Lines> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(Framed::new(socket, LinesCodec::new()))
}

/// Every command.
pub async fn commands(address: &str) -> Seen {
    let mut lines = connect(address).await?;
    let added = ask(&mut lines, "ADD a line").await?;
    let id = added.strip_prefix("+ ").with_context(|| format!("not a number: {added}"))?;
    let found = ask(&mut lines, &format!("GET {id}")).await?;
    ensure!(found == format!("= {id} a line"), "GET answers {found}");

    // All at once, answered in order.
    for n in 0..100 {
        lines.feed(format!("ADD line {n}")).await?;
    }
    SinkExt::<String>::flush(&mut lines).await?;
    for n in 0..100 {
        let added = next(&mut lines).await?;
        ensure!(added.starts_with("+ "), "line {n} is answered with {added}");
    }
    lines.send("LIST").await?;
    let mut count = 0;
    loop {
        match next(&mut lines).await?.as_str() {
            "." => break,
            line => ensure!(line.starts_with("= "), "in the list: {line}"),
        }
        count += 1;
    }
    ensure!(count > 100, "a list of {count}");
    ensure!(ask(&mut lines, "QUIT").await? == ".", "QUIT is not answered");
    ensure!(lines.next().await.is_none(), "more after the end");
    Ok(format!("101 added, {count} listed"))
}

/// What is no command is answered, and the connection goes on.
pub async fn refusals(address: &str) -> Seen {
    let mut lines = connect(address).await?;
    let long = format!("ADD {}", "x".repeat(10_000));
    let cases = ["HELLO", "GET", "GET one", "GET 999999999", "ADD", long.as_str()];
    for line in cases {
        let refused = ask(&mut lines, line).await?;
        ensure!(refused.starts_with("- "), "{line:.20} is answered with {refused}");
    }
    let added = ask(&mut lines, "ADD still here").await?;
    ensure!(added.starts_with("+ "), "after refusals: {added}");
    Ok(format!("{} refused, the next taken", cases.len()))
}

/// Sends a line and waits for one.
pub async fn ask(lines: &mut Lines, line: &str) -> Seen {
    lines.send(line).await?;
    next(lines).await
}

async fn next(lines: &mut Lines) -> Seen {
    Ok(lines.next().await.context("the connection ended")??)
}
