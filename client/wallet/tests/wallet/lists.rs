//! Lists of grants: checked whole, granted part by part, never twice.

use codec::DecodeAll;
use reqwest::StatusCode;
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::AccountId;
use stipend_sdk::pallet_entitlements::Grants;

use super::{
    carrier::grants_of,
    fake::BOUND,
    office::{bytes, Office},
};

pub fn person(number: u32) -> AccountId {
    let mut bytes = [9; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

/// A list of as many grants of a credit and some.
pub fn list(count: u32) -> String {
    let mut text = "owner,program,amount,valid_until\n".to_owned();
    for number in 0..count {
        let owner = person(number).to_ss58check();
        text.push_str(&format!("{owner},0,1.{number:06},2099-12-31\n"));
    }
    text
}

async fn check(office: &Office, token: &str, past: &str, text: &str) -> (StatusCode, Value) {
    let url = format!("{}/api/v1/lists/check{past}", office.service.url);
    let request = super::service::http().post(url).bearer_auth(token).body(text.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn granted(office: &Office) -> usize {
    office.fake.carried().iter().map(|one| grants_of(&one.call).len()).sum()
}

async fn grant(office: &Office, token: &str, chunk: &Value, after: Value) -> Value {
    let act = json!({ "grant_many": { "grants": chunk["grants"], "after": after } });
    let (status, prepared) = office.prepare(token, &act).await;
    assert_eq!(status, StatusCode::OK, "{prepared}");
    if prepared["done"].is_object() {
        return prepared;
    }
    let sent = office.sign_and_submit(token, &office.hr, &prepared).await;
    office.outcome(token, sent).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_of_an_owner_forbids_is_named_beside_other_faults() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let (good, bound) = (person(1).to_ss58check(), BOUND.to_ss58check());
    let text = format!("owner,program,amount\n{good},0,1\n{bound},0,1\n{good},77,1\n");
    let (status, answer) = check(&office, &token, "", &text).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let faults = answer["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2, "{answer}");
    let named = |lines: &str| faults.iter().find(|fault| fault["lines"] == lines).unwrap();
    assert_eq!(named("3")["column"], "owner");
    assert_eq!(named("3")["reason"], "a policy forbids it");
    assert_eq!(named("4")["column"], "program");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_named_with_line_column_and_reason_and_nothing_is_granted() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let good = person(1).to_ss58check();
    let text = format!(
        "owner,program,amount,valid_from,valid_until,plan,months\n\
         {good},0,1,,,,\n\
         nobody,0,1,,,,\n\
         {good},x,1e3,,never,,\n\
         {good},0,5,2027-01-01,,monthly,many\n\
         {good},0\n"
    );
    let (status, answer) = check(&office, &token, "", &text).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let faults = answer["faults"].as_array().unwrap();
    for (lines, column, reason) in [
        ("3", json!("owner"), "is not an account"),
        ("4", json!("program"), "not a program's number"),
        ("4", json!("amount"), "is not an amount"),
        ("4", json!("valid_until"), "\"never\" is not a time"),
        ("5", json!("months"), "not a number of months"),
        ("6", Value::Null, "2 fields"),
    ] {
        let named = faults.iter().any(|fault| {
            fault["lines"] == lines
                && fault["column"] == column
                && fault["reason"].as_str().unwrap().contains(reason)
        });
        assert!(named, "{lines} {column} {reason}: {answer}");
    }
    // What only the chain knows.
    let (status, answer) = check(&office, &token, "", &format!("owner,program,amount\n{good},9,1\n")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer["faults"][0]["column"], "program");
    assert!(answer["faults"][0]["reason"].as_str().unwrap().contains("no program 9"));
    let (status, answer) =
        check(&office, &token, "", &format!("owner,program,amount\n{good},0,9999999\n")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["faults"].to_string().contains("raise the budget"), "{answer}");
    assert_eq!(granted(&office), 0);
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_longer_than_it_may_be_by_its_lines() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let (status, answer) = check(&office, &token, "", &list(10_001)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["faults"][0]["reason"].as_str().unwrap().contains("at most 10000"), "{answer}");
    let (status, answer) = check(&office, &token, "", &list(10_000)).await;
    assert_eq!((status, answer["chunks"].as_array().unwrap().len()), (StatusCode::OK, 20));
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_list_grants_each_part_once_whatever_was_lost_on_the_way() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let text = list(1_200);
    let (_, first) = check(&office, &token, "", &text).await;
    let chunks = first["chunks"].as_array().unwrap().clone();
    assert_eq!(chunks.len(), 3);
    assert_eq!((&first["open"], &first["people"]), (&json!(1_200), &json!(1_200)));
    assert_eq!(first["programs"][0]["name"], "Research credits");
    let whole = Grants::decode_all(&mut &bytes(&chunks[0]["grants"])[..]).unwrap();
    assert_eq!((whole.len(), &whole[0].0), (512, &person(0)));
    assert_eq!(grant(&office, &token, &chunks[0], Value::Null).await["state"], "final");

    // Two windows sign the second part: that is one transaction.
    let act = json!({ "grant_many": { "grants": chunks[1]["grants"] } });
    let (_, one) = office.prepare(&token, &act).await;
    let (_, other) = office.prepare(&token, &act).await;
    let sent = office.sign_and_submit(&token, &office.hr, &one).await;
    let twin = office.sign_and_submit(&token, &office.hr, &other).await;
    assert_eq!(twin["act"], sent["act"]);
    assert_eq!(office.outcome(&token, sent).await["state"], "final");

    // The service forgets everything but its tables; the same file goes on where it was.
    let Office { service, fake, employee, hr } = office;
    let office = Office { service: service.restart().await, fake, employee, hr };
    let token = office.service.sign_in(&office.hr.signer).await;
    let (_, resumed) = check(&office, &token, "", &text).await;
    assert_eq!(resumed["open"], 1_200 - 1_024);
    assert!(resumed["chunks"][1]["done"]["block"].is_number() && resumed["chunks"][2]["done"].is_null());
    assert_eq!(resumed["alike"]["count"], 0, "parts of the same list are not another's");
    for chunk in resumed["chunks"].as_array().unwrap() {
        grant(&office, &token, chunk, Value::Null).await;
    }
    assert_eq!(granted(&office), 1_200);
    let (_, done) = check(&office, &token, "", &text).await;
    assert_eq!(done["open"], 0);
    for chunk in done["chunks"].as_array().unwrap() {
        assert!(grant(&office, &token, chunk, Value::Null).await["done"].is_object());
    }
    assert_eq!(granted(&office), 1_200);
    office.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_granted_again_only_on_purpose_and_a_mended_one_is_told_apart() {
    let office = Office::open().await;
    let token = office.service.sign_in(&office.hr.signer).await;
    let text = list(20);
    let (_, first) = check(&office, &token, "", &text).await;
    let done = grant(&office, &token, &first["chunks"][0], Value::Null).await;
    let block = done["block"].as_u64().unwrap();

    // Another line makes another list: its other lines look like what was granted.
    let mended = format!("{text}{},0,3,\n", person(99).to_ss58check());
    let (_, other) = check(&office, &token, "", &mended).await;
    assert_eq!((&other["open"], &other["alike"]["count"]), (&json!(21), &json!(20)));
    assert_eq!((&other["alike"]["line"], &other["alike"]["block"]), (&json!(2), &json!(block)));

    // On purpose: what was granted up to that block does not count.
    let past = format!("?after={block}");
    let (_, again) = check(&office, &token, &past, &text).await;
    assert_eq!((&again["open"], &again["alike"]["count"]), (&json!(20), &json!(0)));
    let done = grant(&office, &token, &again["chunks"][0], json!(block)).await;
    assert_eq!(done["state"], "final");
    assert_eq!(granted(&office), 40);
    assert!(grant(&office, &token, &again["chunks"][0], json!(block)).await["done"].is_object());
    assert_eq!(granted(&office), 40);
    office.service.end().await;
}
