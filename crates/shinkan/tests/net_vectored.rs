//! Bytes from several buffers and into several, at once, on all that carries a stream of bytes.

mod support;

use shinkan::net::unix::pipe;
use shinkan::net::{TcpListener, TcpStream, UnixStream};
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use support::on_both;

/// Writes `hello` from two buffers and reads it into two.
macro_rules! goes_through {
    ($writer:expr, $reader:expr) => {{
        let (writer, reader) = (&$writer, &$reader);
        let parts = [IoSlice::new(b"hel"), IoSlice::new(b"lo")];
        writer.writable().await.unwrap();
        assert_eq!(writer.try_write_vectored(&parts).unwrap(), 5);
        let (mut first, mut second) = ([0; 2], [0; 8]);
        let read = loop {
            reader.readable().await.unwrap();
            let mut parts = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            match reader.try_read_vectored(&mut parts) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => break read.unwrap(),
            }
        };
        assert_eq!((read, &first, &second[..3]), (5, b"he", &b"llo"[..]));
        // Now there is nothing, which is no end.
        let error = reader.try_read_vectored(&mut [IoSliceMut::new(&mut second)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }};
}

async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (here, listener.accept().await.unwrap().0)
}

#[test]
fn over_tcp() {
    on_both(|| async {
        let (mut here, mut there) = tcp().await;
        goes_through!(here, there);
        {
            let (read, write) = (there.split().0, here.split().1);
            goes_through!(write, read);
        }
        let ((_here_read, write), (read, _there_write)) = (here.into_split(), there.into_split());
        goes_through!(write, read);
    });
}

#[test]
fn over_a_unix_stream() {
    on_both(|| async {
        let (mut here, mut there) = UnixStream::pair().unwrap();
        goes_through!(here, there);
        {
            let (read, write) = (there.split().0, here.split().1);
            goes_through!(write, read);
        }
        let ((_here_read, write), (read, _there_write)) = (here.into_split(), there.into_split());
        goes_through!(write, read);
    });
}

#[test]
fn over_a_pipe() {
    on_both(|| async {
        let (write, read) = pipe::pipe().unwrap();
        goes_through!(write, read);
    });
}
