//! Accepting and serving connections, on a runtime and threads of the gateway's own.

pub(crate) mod connection;

use std::convert::Infallible;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::front::Front;
use crate::server::connection::{Connection, Control};

/// Large reads let an upload arrive in few pieces.
const READ_BUFFER: usize = 1024 * 1024;

/// A running server. Stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `listener`. With `nagle` small answers go out as two writes without TCP_NODELAY, so a
    /// client that delays its ACKs waits for them, as at a Radosgw with default options.
    pub(crate) fn start(front: Front, listener: StdListener, nagle: bool) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let threads = thread::available_parallelism().map_or(2, |threads| threads.get().clamp(2, 8));
        let runtime =
            Builder::new_multi_thread().worker_threads(threads).thread_name("s3core-gateway").enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("s3core-gateway".to_owned())
            .spawn(move || serve(runtime, Arc::new(front), listener, nagle, stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

fn serve(
    runtime: Runtime,
    front: Arc<Front>,
    listener: StdListener,
    nagle: bool,
    stopped: oneshot::Receiver<Infallible>,
) {
    runtime.block_on(async {
        tokio::select! {
            () = accept(front, listener, nagle) => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn accept(front: Arc<Front>, listener: StdListener, nagle: bool) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve_connection(Arc::clone(&front), stream, nagle));
            }
            // Out of file descriptors, most likely; some will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve_connection(front: Arc<Front>, stream: TcpStream, nagle: bool) {
    if stream.set_nodelay(!nagle).is_err() {
        return;
    }
    let control = Arc::new(Control::new(nagle));
    let io = TokioIo::new(Connection::new(stream, Arc::clone(&control)));
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        let control = Arc::clone(&control);
        async move { front.handle(&control, request).await }
    });
    // An error here is the client's going away or a fault's closing the connection.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(READ_BUFFER)
        .serve_connection(io, service)
        .await;
}
