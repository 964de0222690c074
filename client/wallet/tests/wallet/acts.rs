//! Acts over the API: asked for, signed elsewhere, carried, followed.

use codec::Encode;
use reqwest::StatusCode;
use serde_json::{json, Value};
use stipend_primitives::key::KeyLimits;
use stipend_sdk::{PoolRefusal, RuntimeCall, Signer, Unsigned};

use super::{
    office::{bytes, Office},
    service::http,
};

fn limits() -> Value {
    serde_json::to_value(KeyLimits::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_changed_and_revoked_by_signatures_from_elsewhere() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.employee.signer).await;
    let hash = format!("0x{}", "5a".repeat(32));
    let path = format!("/api/v1/wallets/{}/keys", office.employee.signer.address());
    let keys = || async { office.service.get(&path, &token).await.json::<Value>().await.unwrap() };
    let find =
        |list: &Value| list["keys"].as_array().unwrap().iter().find(|key| key["hash"] == hash).cloned();

    let make = json!({ "register_key": { "hash": hash, "limits": limits() } });
    let (_, prepared) = office.prepare(&token, &make).await;
    assert_eq!(prepared["summary"]["title"], "Make an API key");
    let sent = office.sign_and_submit(&token, &office.employee, &prepared).await;
    assert_eq!(sent["state"], "pending");
    let done = office.outcome(&token, sent).await;
    assert_eq!(done["state"], "final", "{done}");
    // What is said to be final is in the tables.
    let made = find(&keys().await).unwrap();
    assert!(made["revoked"].is_null());

    let mut capped = limits();
    capped["credits_per_day_max"] = json!("2500000");
    capped["model_credits_per_day_max"] = json!([{ "model": 1, "credits_max": "1000000" }]);
    let change = json!({ "set_limits": { "hash": hash, "limits": capped } });
    let (_, prepared) = office.prepare(&token, &change).await;
    let words = prepared["summary"].to_string();
    assert!(words.contains("2.500000 credits a day") && words.contains("for stipend-general"), "{words}");
    let sent = office.sign_and_submit(&token, &office.employee, &prepared).await;
    assert_eq!(office.outcome(&token, sent).await["state"], "final");
    assert_eq!(find(&keys().await).unwrap()["limits"]["credits_per_day_max"], "2500000");

    let done = office.carry(&token, &office.employee, &json!({ "revoke_key": { "hash": hash } })).await;
    assert_eq!(done["state"], "final");
    assert!(find(&keys().await).unwrap()["revoked"].is_number());
    let (status, again) = office.prepare(&token, &json!({ "revoke_key": { "hash": hash } })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(again["error"].as_str().unwrap().contains("revoked already"), "{again}");
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hr_grants_takes_back_freezes_and_offboards() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let owner = office.employee.signer.address();
    let grant = json!({ "grant": { "owner": owner, "program": 0, "amount": "7000000" } });
    let (_, prepared) = office.prepare(&token, &grant).await;
    let words = prepared["summary"]["lines"].to_string();
    assert!(words.contains("7.000000 credits of Innovation") && words.contains(&owner), "{words}");
    let sent = office.sign_and_submit(&token, &office.hr, &prepared).await;
    assert_eq!(office.outcome(&token, sent).await["state"], "final");
    let (_, ledger) = office.fake.head();
    let id = ledger.wallets[&office.employee.signer.account()].1.last().unwrap().id;

    let act = json!({ "revoke": { "entitlement": id } });
    assert_eq!(office.carry(&token, &office.hr, &act).await["state"], "final");
    for frozen in [true, false] {
        let act = json!({ "freeze": { "owner": owner, "frozen": frozen } });
        assert_eq!(office.carry(&token, &office.hr, &act).await["state"], "final");
    }
    let (_, prepared) = office.prepare(&token, &json!({ "offboard": { "owner": owner } })).await;
    assert!(prepared["summary"]["warning"].as_str().unwrap().contains("cannot be undone"));
    let sent = office.sign_and_submit(&token, &office.hr, &prepared).await;
    assert_eq!(office.outcome(&token, sent).await["state"], "final");
    let (_, ledger) = office.fake.head();
    let (_, grants) = &ledger.wallets[&office.employee.signer.account()];
    assert!(grants.iter().all(|grant| grant.amounts.available == 0));

    for (act, words) in [
        (json!({ "grant": { "owner": "5nobody", "program": 0, "amount": "1" } }), "is not an account"),
        (json!({ "grant": { "owner": owner, "program": 99, "amount": "1" } }), "no program 99"),
        (json!({ "grant": { "owner": owner, "program": 0, "amount": "0" } }), "zero"),
        (json!({ "grant": { "owner": owner, "program": 0, "amount": "9000000000000000" } }), "Grant less"),
        (json!({ "revoke": { "entitlement": 77_777 } }), "no grant 77777"),
        (json!({ "burn": {} }), "cannot be read"),
    ] {
        let (status, answer) = office.prepare(&token, &act).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{act}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{act} {answer}");
    }
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_carried_but_the_viewers_own_acts_with_the_viewers_own_signature() {
    let office = Office::open().await;
    let (employee, hr) = (&office.employee, &office.hr);
    let (token, hr_token) =
        (office.service.sign_in(&employee.signer).await, office.service.sign_in(&hr.signer).await);
    let make = json!({ "register_key": { "hash": format!("0x{}", "5b".repeat(32)), "limits": limits() } });
    let (_, prepared) = office.prepare(&token, &make).await;
    let payload = bytes(&prepared["payload"]);
    let (transaction, signature) = (&prepared["transaction"], employee.signature(&payload));

    // Somebody else's session, somebody else's signature, something else.
    let mut cases = vec![
        (&hr_token, transaction.clone(), signature.clone(), "another account's"),
        (&token, transaction.clone(), hr.signature(&payload), "not your key's"),
        (&token, transaction.clone(), "00".repeat(64), "not your key's"),
        (&token, transaction.clone(), "00".into(), "not 64 bytes"),
        (&token, json!("0x00"), signature.clone(), "not what the service made"),
    ];
    let made = Unsigned::read(&bytes(transaction)).unwrap();
    let changed = |unsigned: &Unsigned| {
        let text = json!(format!("0x{}", hex::encode(unsigned.encode())));
        (text, employee.signature(&unsigned.payload()))
    };
    let remark: RuntimeCall = frame_system::Call::remark { remark: vec![1] }.into();
    let (text, signed) = changed(&Unsigned { call: remark, ..made.clone() });
    cases.push((&token, text, signed, "not what the service made"));
    let (text, signed) = changed(&Unsigned { genesis: Default::default(), ..made.clone() });
    cases.push((&token, text, signed, "not what the service made"));
    let (text, _) = changed(&Unsigned { nonce: made.nonce + 1, ..made });
    cases.push((&token, text, signature.clone(), "not your key's"));
    for (token, transaction, signature, words) in cases {
        let (status, answer) = office.submit(token, &transaction, &signature).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{words}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    let (status, answer) =
        office.prepare(&token, &json!({ "offboard": { "owner": hr.signer.address() } })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"].as_str().unwrap().contains("Only an issuer"), "{answer}");
    assert!(office.fake.carried().is_empty());

    // Nobody else learns what became of it.
    let sent = office.sign_and_submit(&token, employee, &prepared).await;
    let path = format!("/api/v1/acts/{}", sent["act"].as_str().unwrap());
    assert_eq!(office.service.get(&path, &hr_token).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(office.outcome(&token, sent).await["state"], "final");
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_is_asked_for_twice_happens_once() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let owner = office.employee.signer.address();
    let grant = json!({ "grant": { "owner": owner, "program": 0, "amount": "1000000" } });
    // Two windows show the same confirmation; both are signed.
    let (_, one) = office.prepare(&token, &grant).await;
    let freeze = json!({ "freeze": { "owner": owner, "frozen": true } });
    let (_, other) = office.prepare(&token, &freeze).await;
    let first = office.sign_and_submit(&token, &office.hr, &one).await;
    let second = office.sign_and_submit(&token, &office.hr, &other).await;
    assert_eq!(second["state"], "refused", "{second}");
    assert_eq!(second["again"], true);
    let done = office.outcome(&token, first.clone()).await;
    assert_eq!(done["state"], "final");
    // The same signed transaction again is told what became of it, and late ones are refused.
    let again = office.sign_and_submit(&token, &office.hr, &one).await;
    assert_eq!((&again["act"], &again["state"]), (&first["act"], &done["state"]));
    assert_eq!(office.fake.carried().len(), 1);
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_refuses_is_told_with_why() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    // A stranger's wallet cannot be frozen: the call fails in its block.
    let stranger = Signer::generate().address();
    let failed =
        office.carry(&token, &office.hr, &json!({ "freeze": { "owner": stranger, "frozen": true } })).await;
    assert_eq!(failed["state"], "refused");
    assert!(failed["reason"].as_str().unwrap().contains("OwnerUnknown"), "{failed}");
    assert_eq!(failed["again"], false);
    *office.fake.pool.refuses.lock() = Some(PoolRefusal::NotAdmitted);
    let refused =
        office.carry(&token, &office.hr, &json!({ "freeze": { "owner": stranger, "frozen": false } })).await;
    assert!(refused["reason"].as_str().unwrap().contains("neither a role nor an entitlement"), "{refused}");
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_can_ask_for_nothing_and_long_requests_are_not_read() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.employee.signer).await;
    for path in ["/api/v1/acts/prepare", "/api/v1/acts/submit"] {
        for origin in [None, Some("https://elsewhere.example")] {
            let mut request = http()
                .post(format!("{}{path}", office.service.url))
                .header("cookie", format!("stipend-session={token}"))
                .body("{}");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path} {origin:?}");
        }
        let long = json!({ "transaction": "00".repeat(200_000), "signature": "" });
        let answer = office.service.post(path, &token, &long).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    office.service.end().await;
}
