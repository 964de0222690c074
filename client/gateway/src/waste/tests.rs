#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use stipend_detectors::{Measure, Secret};
use stipend_openai::Endpoint;
use stipend_primitives::{cost::Usage, KeyHash};

use super::*;

fn seen(bytes: usize) -> Seen {
    Seen {
        at_ms: 0,
        endpoint: Endpoint::Chat,
        body: Bytes::from(vec![b'a'; bytes]),
        owner: AccountId::new([1; 32]),
        key: KeyHash::zero(),
        model: 0,
        max_tokens: 1,
        digest: [0; 16],
        purpose: None,
        peer: None,
        agent: None,
        provider: None,
        usage: Usage::default(),
        fetched_permille: 0,
    }
}

#[test]
fn where_too_much_waits_a_request_is_counted_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let config = WasteConfig::for_test(Measure::Advise, "token");
    let metrics = WasteMetrics::new(&prometheus::Registry::new()).unwrap();
    let (queue, mut queued) = mpsc::channel(2);
    let waste = Waste {
        queue,
        queued_bytes: Arc::default(),
        gate: Arc::new(Gate::new(&config, Sketcher::new(Secret::new([1; 32])))),
        book: Arc::new(Book::open(&dir.path().join("findings")).unwrap()),
        metrics: metrics.clone(),
        auditor: None,
    };
    waste.look(seen(QUEUE_BYTES_MAX));
    waste.look(seen(1));
    assert_eq!(metrics.not_looked_at.get(), 1, "too many bytes");
    waste.look(seen(0));
    waste.look(seen(0));
    assert_eq!(metrics.not_looked_at.get(), 2, "too many requests");
    assert_eq!(waste.queued_bytes.load(Ordering::Relaxed), QUEUE_BYTES_MAX);
    assert_eq!(queued.try_recv().unwrap().body.len(), QUEUE_BYTES_MAX);
    assert!(!waste.is_auditor("token"), "nobody is one");
}
