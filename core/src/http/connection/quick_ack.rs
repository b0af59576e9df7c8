//! A TCP stream that never delays an acknowledgement somebody may be waiting for.
//!
//! Radosgw's frontend leaves Nagle's algorithm on and writes head and body of a small answer apart: the body leaves
//! only when the head is acknowledged, and Linux acknowledges after 40 ms. `TCP_QUICKACK` ends that, but the kernel
//! takes it back on its own, so it is set again whenever a read found less than 4 KiB: somebody may be waiting then.
//! Streams of large bodies are left to the kernel.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Reads of this many bytes or more belong to a stream that keeps coming.
#[cfg(target_os = "linux")]
const LARGE_READ: usize = 4 * 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct QuickAckStream {
    tcp: TcpStream,
    /// The peer no longer takes bytes. What it had to say may still be on its way: a gateway that refuses an upload
    /// answers and closes, so the failure is told by the next read, after the answer.
    is_write_broken: bool,
}

impl QuickAckStream {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { tcp, is_write_broken: false }
    }

    #[cfg(target_os = "linux")]
    fn acknowledge(&self) {
        // A hint: where the kernel refuses it, answers are merely later.
        let _ = socket2::SockRef::from(&self.tcp).set_tcp_quickack(true);
    }

    fn written(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Err(error)) if is_broken(&error) => {
                self.is_write_broken = true;
                Poll::Pending
            }
            other => other,
        }
    }
}

fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted
    )
}

impl AsyncRead for QuickAckStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        #[cfg(target_os = "linux")]
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.tcp).poll_read(context, buffer);
        #[cfg(target_os = "linux")]
        if buffer.filled().len() - before < LARGE_READ {
            self.acknowledge();
        }
        result
    }
}

impl AsyncWrite for QuickAckStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_write_broken {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_write_broken {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_write_broken {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
