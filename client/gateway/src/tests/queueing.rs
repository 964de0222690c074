//! Waiting for a place, and not for too long.

use std::time::{Duration, Instant};

use super::harness::*;

async fn one_place() -> Setup {
    Setup::with(1, |config| config.upstreams[0].concurrency_max = 1).await
}

async fn by(setup: &Setup, prompt: &str, deadline_ms: &str) -> Got {
    let mut request = setup.request("/v1/chat/completions", chat(prompt).to_string());
    request.headers_mut().insert("x-stipend-deadline-ms", deadline_ms.parse().unwrap());
    setup.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_begin_by_its_deadline_gets_504_then_and_is_never_sent() {
    let setup = one_place().await;
    let first = setup.chat("wait");
    let late = async {
        until("the place is taken", || setup.upstreams[0].seen.lock().len() == 1).await;
        let began = Instant::now();
        let got = by(&setup, "ok", "150").await;
        let took = began.elapsed();
        setup.upstreams[0].go_on.notify_one();
        (got, took)
    };
    let (first, (late, took)) = futures::join!(first, late);
    assert_eq!(first.status, 200);
    assert_eq!((late.status.as_u16(), late.code().as_str()), (504, "deadline_exceeded"));
    assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(3), "{took:?}");
    setup.charged(1).await;
    assert_eq!((setup.upstreams[0].seen.lock().len(), setup.held()), (1, 0));
    // One that is in time is served, and a deadline that is none is refused.
    assert_eq!(by(&setup, "ok", "3000").await.status, 200);
    assert_eq!(by(&setup, "ok", "soon").await.code(), "invalid_deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_while_it_waits_leaves_the_queue_at_once_and_pays_nothing() {
    let setup = one_place().await;
    let first = setup.chat("wait");
    let leaving = async {
        let queue = setup.engine().state.upstreams.set().all[0].queue.clone();
        until("the place is taken", || setup.upstreams[0].seen.lock().len() == 1).await;
        let gone = tokio::time::timeout(Duration::from_secs(2), async {
            // A connection of its own, which is closed with the request.
            let address = setup.address;
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let body = chat("ok").to_string();
            let head = format!(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            use tokio::io::AsyncWriteExt;
            stream.write_all((head + &body).as_bytes()).await.unwrap();
            std::future::pending::<()>().await
        });
        let waited = async { until("it waits", || queue.waiting() == 1).await };
        let (gone, ()) = futures::join!(gone, waited);
        assert!(gone.is_err());
        until("it left the queue", || queue.waiting() == 0).await;
        setup.upstreams[0].go_on.notify_one();
    };
    let (first, ()) = futures::join!(first, leaving);
    assert_eq!(first.status, 200);
    setup.charged(1).await;
    until("its hold is given back", || setup.held() == 0).await;
    assert_eq!(setup.upstreams[0].seen.lock().len(), 1);
}
