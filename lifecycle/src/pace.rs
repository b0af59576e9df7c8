//! How fast requests leave. Where a rate was asked for, each one waits for its turn, whatever it is for: the transport hands
//! turns out, in the order in which they were asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper::{Method, StatusCode};
use s3core::Result;
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use tokio::time::{Instant, sleep_until};

use crate::run::lease::Lease;

/// A gateway that answers 503 all the time gets a request in so many of the times between two of them.
const SLOWEST: u32 = 16;
/// So many answers make up for a 503.
const RECOVERY: u32 = 16;

tokio::task_local! {
    /// Set where requests are sent that wait for nobody.
    static FIRST: ();
    /// Set where requests change something though the lease is lost.
    static UNLEASED: ();
}

/// What `work` sends waits for no turn; what comes after it waits the longer. For the renewal of a lease, which would be lost by
/// this process's own patience, and for what must follow a look at once: what others do between the two is not seen.
pub(crate) async fn first<T>(work: impl Future<Output = T>) -> T {
    FIRST.scope((), work).await
}

/// What `work` sends goes out though the lease is lost. For what takes back something of this process's own.
pub(crate) async fn unleased<T>(work: impl Future<Output = T>) -> T {
    UNLEASED.scope((), work).await
}

/// Hands out turns to send a request. Clones share them.
#[derive(Clone)]
pub struct Turns {
    shared: Arc<Shared>,
}

struct Shared {
    /// Between two requests, where the gateway keeps up.
    interval: Duration,
    pace: Mutex<Pace>,
    /// Held by whoever is next.
    queue: tokio::sync::Mutex<()>,
}

struct Pace {
    /// Between two requests now.
    interval: Duration,
    /// When the next may leave.
    next: Option<Instant>,
    /// The lease that this process works under.
    lease: Option<Lease>,
}

impl Turns {
    /// So many in a second at most.
    pub fn new(requests_per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / requests_per_second.max(1);
        let pace = Mutex::new(Pace { interval, next: None, lease: None });
        Self { shared: Arc::new(Shared { interval, pace, queue: tokio::sync::Mutex::default() }) }
    }

    /// The same transport, through which requests leave in turn.
    pub fn through(&self, transport: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Paced { turns: self.clone(), transport })
    }

    /// As long as the answer is kept, what changes something is sent only while the lease is held: whoever asked before the
    /// turn has seen an older lease, and what is sent again asks nobody.
    pub fn work_under(&self, lease: Lease) -> Under {
        self.pace().lease = Some(lease);
        Under(self.clone())
    }

    /// Requests in a second at most.
    pub(crate) fn per_second(&self) -> usize {
        usize::try_from(Duration::from_secs(1).as_nanos() / self.shared.interval.as_nanos().max(1))
            .unwrap_or(usize::MAX)
    }

    /// Waits for a turn.
    async fn next(&self) {
        let _place = self.shared.queue.lock().await;
        loop {
            let turn = {
                let mut pace = self.pace();
                match pace.next {
                    Some(turn) if turn > Instant::now() => turn,
                    // Time that nobody used is not made up for.
                    _ => return pace.went(),
                }
            };
            sleep_until(turn).await;
        }
    }

    /// A gateway that is busy is asked less often, until it keeps up again.
    fn saw(&self, status: StatusCode) {
        let usual = self.shared.interval;
        let mut pace = self.pace();
        pace.interval = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => (pace.interval * 2).min(usual * SLOWEST),
            _ => pace.interval.saturating_sub(usual / RECOVERY).max(usual),
        };
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.shared.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Turns::work_under`].
pub struct Under(Turns);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.pace().lease = None;
    }
}

impl Pace {
    /// A request leaves now.
    fn went(&mut self) {
        let now = Instant::now();
        self.next = Some(self.next.map_or(now, |next| next.max(now)) + self.interval);
    }
}

struct Paced {
    turns: Turns,
    transport: Arc<dyn Transport>,
}

impl Transport for Paced {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        let (turns, transport, endpoint) = (self.turns.clone(), Arc::clone(&self.transport), endpoint.clone());
        // Everybody waits for new keys, the renewal of the lease too: those are asked for at the root.
        let asks_for_keys = request.method == Method::POST && request.path_and_query == "/";
        let is_first = asks_for_keys || FIRST.try_with(|()| ()).is_ok();
        let needs_lease = changes(&request.method) && !asks_for_keys && UNLEASED.try_with(|()| ()).is_err();
        Box::pin(async move {
            if !is_first {
                turns.next().await;
            }
            let lease = turns.pace().lease.clone();
            if let Some(lease) = lease.filter(|_| needs_lease) {
                lease.check()?;
            }
            if is_first {
                turns.pace().went();
            }
            let response = transport.send(&endpoint, request, limits).await?;
            turns.saw(response.status);
            Ok(response)
        })
    }

    fn send_directly(
        &self,
        endpoint: &Endpoint,
        request: Request,
        limits: Limits,
    ) -> BoxFuture<'static, Result<Response>> {
        self.transport.send_directly(endpoint, request, limits)
    }
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use s3core::http::{Payload, ResponseBody};

    use super::*;

    /// Answers at once, with 503 those that are to be; notes when each request came.
    #[derive(Default)]
    struct Noted {
        came: Mutex<Vec<Instant>>,
        busy: Mutex<usize>,
    }

    impl Transport for Noted {
        fn send(&self, _: &Endpoint, _: Request, _: Limits) -> BoxFuture<'static, Result<Response>> {
            self.came.lock().unwrap().push(Instant::now());
            let mut busy = self.busy.lock().unwrap();
            let status = if *busy > 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            *busy = busy.saturating_sub(1);
            let body = ResponseBody::new(futures::stream::empty());
            Box::pin(async move { Ok(Response { status, headers: HeaderMap::new(), body }) })
        }
    }

    fn send(transport: &Arc<dyn Transport>, method: Method) -> BoxFuture<'static, Result<Response>> {
        let endpoint = Endpoint { tls: false, host: "lake".to_owned(), port: 80 };
        let second = Duration::from_secs(1);
        let limits = Limits { connect: second, answer: second, idle: second };
        let (path_and_query, headers) = ("/lake/key".to_owned(), HeaderMap::new());
        transport.send(&endpoint, Request { method, path_and_query, headers, payload: Payload::default() }, limits)
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_leave_in_a_second_than_were_asked_for() {
        let noted = Arc::new(Noted::default());
        let transport = Turns::new(10).through(Arc::clone(&noted) as _);
        let started = Instant::now();
        let methods =
            [Method::GET, Method::PUT, Method::DELETE, Method::POST, Method::HEAD].into_iter().cycle().take(21);
        futures::future::join_all(methods.map(|method| send(&transport, method))).await;
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        // Time that nobody used is not made up for.
        tokio::time::advance(Duration::from_secs(5)).await;
        let again = Instant::now();
        for _ in 0..11 {
            send(&transport, Method::DELETE).await.unwrap();
        }
        assert_eq!((again.elapsed(), noted.came.lock().unwrap().len()), (Duration::from_secs(1), 32));
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_is_busy_is_asked_less_often_for_a_while() {
        let noted = Arc::new(Noted::default());
        let transport = Turns::new(10).through(Arc::clone(&noted) as _);
        *noted.busy.lock().unwrap() = 6;
        for _ in 0..400 {
            send(&transport, Method::GET).await.unwrap();
        }
        let came = noted.came.lock().unwrap();
        let pauses: Vec<_> = came.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        assert_eq!(pauses[..8], [100, 200, 400, 800, 1600, 1600, 1600, 1594], "{pauses:?}");
        assert_eq!(pauses[398], 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_first_waits_for_nobody_and_is_counted() {
        let noted = Arc::new(Noted::default());
        let transport = Turns::new(1).through(Arc::clone(&noted) as _);
        let started = Instant::now();
        let thousands: Vec<_> = (0..3000).map(|_| tokio::spawn(send(&transport, Method::PUT))).collect();
        tokio::time::sleep(Duration::from_millis(10_500)).await;
        let asked = Instant::now();
        first(async { send(&transport, Method::PUT).await }).await.unwrap();
        assert_eq!(asked.elapsed(), Duration::ZERO);
        for waiting in thousands {
            waiting.await.unwrap().unwrap();
        }
        assert_eq!(started.elapsed(), Duration::from_secs(3000));
    }
}
