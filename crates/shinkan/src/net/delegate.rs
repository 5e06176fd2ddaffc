//! Bodies of trait implementations that are the same for each type of socket. The public types and
//! their methods are written out; `$sock` turns `self` into the `Sock` or `Pipe` behind it.

/// What gives a descriptor; and, if asked, shows itself as what it holds.
macro_rules! descriptor {
    ($socket:ty, $inner:ident, Debug) => {
        crate::net::delegate::descriptor!($socket, $inner);

        impl std::fmt::Debug for $socket {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.$inner, f)
            }
        }
    };
    ($socket:ty, $inner:ident) => {
        impl std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(&self.$inner)
            }
        }

        impl std::os::fd::AsFd for $socket {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(&self.$inner)
            }
        }
    };
}

/// What can be made from the standard library's socket.
macro_rules! from_std {
    ($std:ty => $socket:ty) => {
        impl TryFrom<$std> for $socket {
            type Error = std::io::Error;

            /// As `from_std`.
            #[track_caller]
            fn try_from(socket: $std) -> std::io::Result<Self> {
                Self::from_std(socket)
            }
        }
    };
}

/// The method of `AsyncRead`.
macro_rules! reads {
    ($this:ident => $sock:expr) => {
        // As `Source::poll_stream`.
        #[inline(always)]
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            buf: &mut shinkan_io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let $this = self;
            $sock.poll_read(cx, buf)
        }
    };
}

/// The methods of `AsyncWrite` but `poll_shutdown`.
macro_rules! writes {
    ($this:ident => $sock:expr) => {
        #[inline(always)]
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            buf: &[u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            let $this = self;
            $sock.poll_write(cx, buf)
        }

        #[inline(always)]
        fn poll_write_vectored(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            bufs: &[std::io::IoSlice<'_>],
        ) -> std::task::Poll<std::io::Result<usize>> {
            let $this = self;
            $sock.poll_write_vectored(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        // The kernel has what was written.
        #[inline]
        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
    };
}

pub(super) use {descriptor, from_std, reads, writes};
