//! How often one host is asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Keeps requests to one host apart.
pub(super) struct Pace {
    gap: Duration,
    /// When the next request to a host may leave.
    next: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    pub(super) fn new(gap: Duration) -> Pace {
        Pace { gap, next: Mutex::new(HashMap::new()) }
    }

    /// Waits for this request's turn. Turns are given out in the order of asking.
    pub(super) async fn wait(&self, host: &str) {
        sleep_until(self.turn(host, Instant::now())).await;
    }

    fn turn(&self, host: &str, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.get(host).map_or(now, |at| (*at).max(now));
        next.insert(host.to_owned(), turn + self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_to_one_host_are_kept_apart_and_other_hosts_do_not_wait() {
        let pace = Pace::new(Duration::from_millis(500));
        let start = Instant::now();
        for (host, asked_at, leaves_at) in
            [("a", 0, 0), ("a", 0, 500), ("b", 0, 0), ("a", 100, 1000), ("b", 600, 600), ("a", 9000, 9000)]
        {
            let turn = pace.turn(host, start + Duration::from_millis(asked_at));
            assert_eq!((turn - start).as_millis(), leaves_at, "{host} at {asked_at}");
        }
    }
}
