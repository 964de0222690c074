use super::harness::*;
use crate::server::routes::{Call, Path, ROUTES};

/// Who may call what. A new route is a new line here, on purpose.
const MAY_CALL: [(&str, &str, &str); 21] = [
    ("POST", "/v1/chat/completions", "key"),
    ("POST", "/v1/completions", "key"),
    ("POST", "/v1/embeddings", "key"),
    ("POST", "/v1/responses", "key"),
    ("POST", "/v1/images/generations", "key"),
    ("POST", "/v1/messages", "key"),
    ("POST", "/v1/quote", "key"),
    ("GET", "/v1/models", "key"),
    ("GET", "/v1/wallet", "key"),
    ("GET", "/v1/aci/receipts/", "key"),
    ("POST", "/v1/jobs", "key"),
    ("GET", "/v1/jobs/", "key"),
    ("DELETE", "/v1/jobs/", "key"),
    ("POST", "/v1/jobs/ID/begin", "the job's runner"),
    ("POST", "/v1/jobs/ID/answer", "the job's runner"),
    ("GET", "/v1/waste", "key"),
    ("GET", "/v1/waste/all", "an auditor"),
    ("POST", "/v1/waste/ID/appeal", "key"),
    ("GET", "/healthz", "anybody"),
    ("GET", "/readyz", "anybody"),
    ("GET", "/metrics", "anybody"),
];

#[test]
fn every_route_stands_in_the_list_of_who_may_call_it() {
    let routes = ROUTES.iter().map(|route| {
        let path = match route.path {
            Path::Is(path) | Path::Under(path) => path.to_owned(),
            Path::Between(front, back) => format!("{front}ID{back}"),
        };
        let who = match route.call {
            Call::Open(_) => "anybody",
            Call::Keyed(_) => "key",
            Call::Runner(_) => "the job's runner",
            Call::Auditor => "an auditor",
        };
        (route.method.to_string(), path, who)
    });
    let may_call = MAY_CALL.map(|(method, path, who)| (method.to_owned(), path.to_owned(), who));
    assert_eq!(routes.collect::<Vec<_>>(), may_call);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_key_reaches_what_is_open_and_nothing_else() {
    let setup = Setup::new().await;
    for (method, path, who) in MAY_CALL {
        for secret in [None, Some("Bearer "), Some("Bearer sk-stipend-unknown")] {
            let mut request = setup.request(path, "{}");
            *request.method_mut() = method.parse().unwrap();
            request.headers_mut().remove("authorization");
            if let Some(secret) = secret {
                request.headers_mut().insert("authorization", secret.parse().unwrap());
            }
            let status = setup.send(request).await.status.as_u16();
            assert_eq!(status == 401, who != "anybody", "{method} {path} with {secret:?}: {status}");
        }
    }
    assert!(setup.upstreams[0].seen.lock().is_empty());
}
