//! Every route, asked as everybody: nobody gets anything of somebody else's wallet.

use std::{collections::BTreeSet, time::Duration};

use sp_core::crypto::Ss58Codec;
use stipend_primitives::Role;
use stipend_sdk::Signer;
use stipend_wallet::{access::Subject, config::Config, export::Export, http::routes};

use super::{
    fake::{account, Fake},
    history::{History, GATEWAYS},
    place::sqlite,
    service::{http, Service},
};

/// Who asks.
struct Viewer {
    name: &'static str,
    token: String,
    /// What is let through.
    sees: &'static [Subject],
}

const OWN: &[Subject] = &[Subject::Public, Subject::Viewer, Subject::Acts, Subject::Wallet, Subject::Receipt];
const NOTHING: &[Subject] = &[Subject::Public, Subject::Viewer, Subject::Acts];
const ISSUER: &[Subject] =
    &[Subject::Public, Subject::Viewer, Subject::Acts, Subject::Programs, Subject::Granting];
const MANAGER: &[Subject] = &[
    Subject::Public,
    Subject::Viewer,
    Subject::Acts,
    Subject::Programs,
    Subject::Program,
    Subject::Granting,
];
const ALL: &[Subject] = &[
    Subject::Public,
    Subject::Viewer,
    Subject::Acts,
    Subject::Wallet,
    Subject::Receipt,
    Subject::Programs,
    Subject::Program,
    Subject::Everything,
];

#[tokio::test(flavor = "multi_thread")]
async fn each_route_answers_those_whom_the_table_names_and_nobody_else() {
    let (owner, colleague, manager, other_hr, stranger, auditor) = (
        Signer::generate(),
        Signer::generate(),
        Signer::generate(),
        Signer::generate(),
        Signer::generate(),
        Signer::generate(),
    );
    let mut history = History::new(5, vec![owner.account()]);
    history.run(30);
    history.hand_programs_to(&manager.account(), &other_hr.account());
    history.also_own(colleague.account());
    let fake: std::sync::Arc<Fake> = history.fake.clone();
    for (signer, role) in [(&manager, Role::Issuer), (&other_hr, Role::Issuer), (&auditor, Role::Auditor)] {
        fake.grant(&signer.account(), role);
    }
    let service = Service::start(fake).await;
    let out = service.sign_in(&owner).await;
    http().post(format!("{}/sign-out", service.url)).bearer_auth(&out).send().await.unwrap();
    let viewers = [
        Viewer { name: "owner", token: service.sign_in(&owner).await, sees: OWN },
        Viewer { name: "colleague", token: service.sign_in(&colleague).await, sees: NOTHING },
        Viewer { name: "HR of the program", token: service.sign_in(&manager).await, sees: MANAGER },
        Viewer { name: "HR of another program", token: service.sign_in(&other_hr).await, sees: ISSUER },
        Viewer { name: "stranger", token: service.sign_in(&stranger).await, sees: NOTHING },
        Viewer { name: "auditor", token: service.sign_in(&auditor).await, sees: ALL },
        Viewer { name: "ended session", token: out, sees: &[Subject::Public] },
        Viewer { name: "nobody", token: String::new(), sees: &[Subject::Public] },
    ];
    let gateway = history.some_gateway().unwrap_or(GATEWAYS[0]);
    let mut asked = 0;
    for viewer in &viewers {
        for route in routes::<Fake>() {
            // Signing in and out and acts are tested apart, a stream that goes on for ever below.
            if route.path.contains("{token}") || route.path.ends_with("/live") || route.path.contains("{act}")
            {
                continue;
            }
            if route.method == "POST" {
                if route.subject != Subject::Public && !viewer.sees.contains(&route.subject) {
                    let answer = service.post(route.path, &viewer.token, &serde_json::json!({})).await;
                    let status = answer.status().as_u16();
                    assert!(
                        matches!(status, 401 | 404 | 303),
                        "{} posts {}: {status}",
                        viewer.name,
                        route.path
                    );
                    asked += 1;
                }
                continue;
            }
            let path = route
                .path
                .replace("{account}", &owner.address())
                .replace("{gateway}", &account(gateway).to_ss58check())
                .replace("{seq}", "0")
                .replace("{program}", "0")
                .replace("{file}", "receipts.ndjson");
            let answer = service.get(&path, &viewer.token).await;
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let may = viewer.sees.contains(&route.subject);
            let what = format!("{} asks {path}: {status}", viewer.name);
            if may {
                assert!(status == 200 || (status == 303 && path == "/"), "{what} {text}");
            } else {
                assert!(matches!(status, 401 | 404 | 303), "{what}");
                assert!(!text.contains(&owner.address()[6..40]), "{what} shows the wallet");
                assert!(!text.contains("amounts") && !text.contains("0.0000"), "{what} shows figures");
            }
            asked += 1;
        }
        let live = service.get(&format!("/wallets/{}/live", owner.address()), &viewer.token).await;
        let may = viewer.sees.contains(&Subject::Wallet);
        assert_eq!(live.status().is_success(), may, "{} asks for live figures", viewer.name);
    }
    assert!(asked > 200, "{asked}");

    // A list shows only what its viewer may open.
    let listed = |token: String| {
        let service = &service;
        async move { service.get("/api/v1/programs", &token).await.text().await.unwrap() }
    };
    let other = listed(viewers[3].token.clone()).await;
    assert!(other.contains("Reasoning pilot") && !other.contains("Research credits"), "{other}");
    service.end().await;
}

/// Somebody who has nothing to do with the wallet.
struct Outsider<'s> {
    name: &'static str,
    service: &'s Service,
    /// Who signs in; nobody has none.
    signer: Option<&'s Signer>,
    is_signed_out: bool,
}

impl Outsider<'_> {
    async fn token(&self) -> String {
        let Some(signer) = self.signer else { return String::new() };
        let token = self.service.sign_in(signer).await;
        if self.is_signed_out {
            let out = http().post(format!("{}/sign-out", self.service.url)).bearer_auth(&token).send().await;
            assert_eq!(out.unwrap().status().as_u16(), 303);
        }
        token
    }
}

/// Every text and figure by which a wallet could be known: from what its owner gets, what is long enough not to stand
/// anywhere by chance.
async fn secrets_of(service: &Service, owner: &Signer, parts: &[&str]) -> BTreeSet<String> {
    let token = service.sign_in(owner).await;
    let mut secrets = BTreeSet::new();
    for part in parts {
        let path = format!("/api/v1/wallets/{}{part}", owner.address());
        let answer: serde_json::Value = service.get(&path, &token).await.json().await.unwrap();
        let mut open = vec![&answer];
        while let Some(value) = open.pop() {
            match value {
                serde_json::Value::Array(values) => open.extend(values),
                serde_json::Value::Object(fields) => {
                    // Common to all wallets: who serves, who meters, when.
                    let of_all = ["gateway", "provider", "issuer", "actor", "as_of", "next"];
                    open.extend(
                        fields.iter().filter(|(name, _)| !of_all.contains(&&***name)).map(|(_, v)| v),
                    );
                }
                serde_json::Value::String(text) => match text.parse::<u128>() {
                    Ok(amount) if amount >= 10_000_000 => {
                        secrets.insert(text.clone());
                        secrets.insert(stipend_wallet::pages::words::credits(amount));
                    }
                    Err(_) if text.starts_with("0x") => drop(secrets.insert(text.clone())),
                    _ => {}
                },
                _ => {}
            }
        }
    }
    secrets
}

/// A path of the owner's for a route: what is behind it is not for others.
fn path_of(route: &str, owner: &Signer, receipt: &serde_json::Value, file: &str) -> String {
    let path = route
        .replace("{account}", &owner.address())
        .replace("{gateway}", receipt["gateway"].as_str().unwrap())
        .replace("{seq}", &receipt["sequence"].to_string())
        .replace("{program}", "0")
        .replace("{token}", &"00".repeat(32))
        .replace("{act}", &"00".repeat(32))
        .replace("{file}", file);
    assert!(!path.contains('{'), "say here what stands in {route} for somebody else's");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn outsiders_learn_nothing_of_a_wallet_by_any_method_of_any_route() {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let [owner, colleague, manager, other_hr, stranger] = std::array::from_fn(|_| Signer::generate());
    // With others beside the owner, so that a budget's sums are not the owner's figures.
    let mut history = History::new(6, vec![owner.account(), account(91), account(92)]);
    history.run(60);
    history.hand_programs_to(&manager.account(), &other_hr.account());
    history.also_own(colleague.account());
    history.fake.grant(&manager.account(), Role::Issuer);
    history.fake.grant(&other_hr.account(), Role::Issuer);
    let service = Service::start(history.fake.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let place = sqlite(folder.path());
    let short_lived = Service::start_as(history.fake.clone(), place, folder, |config| Config {
        session: Duration::ZERO,
        ..config
    })
    .await;
    let outsider = |name, signer| Outsider { name, service: &service, signer, is_signed_out: false };
    let outsiders = [
        outsider("a colleague", Some(&colleague)),
        outsider("HR of another program", Some(&other_hr)),
        outsider("a stranger", Some(&stranger)),
        Outsider { is_signed_out: true, ..outsider("the owner, signed out", Some(&owner)) },
        Outsider { service: &short_lived, ..outsider("the owner, whose session is over", Some(&owner)) },
        outsider("nobody", None),
    ];
    let mut secrets = secrets_of(&service, &owner, &["", "/receipts", "/days", "/grants", "/keys"]).await;
    secrets.extend([owner.address(), hex::encode(owner.public())]);
    // HR sees who was granted what of HR's own programs, and no receipt and no key of theirs.
    let private = secrets_of(&service, &owner, &["/receipts", "/keys"]).await;
    assert!(secrets.len() > private.len() && private.len() > 20, "{secrets:?}");
    let own = service.sign_in(&owner).await;
    let list = format!("/api/v1/wallets/{}/receipts", owner.address());
    let list: serde_json::Value = service.get(&list, &own).await.json().await.unwrap();
    let receipt = &list["receipts"][0];

    let mut asked = 0;
    for outsider in &outsiders {
        let mut token = outsider.token().await;
        for route in routes::<Fake>() {
            for (method, export) in
                METHODS.into_iter().flat_map(|method| Export::ALL.map(|one| (method, one)))
            {
                let path = path_of(route.path, &owner, receipt, export.file_name());
                if !route.path.contains("{file}") && export != Export::ALL[0] {
                    continue;
                }
                let url = format!("{}{path}", outsider.service.url);
                let mut request = http().request(method.parse().unwrap(), url).bearer_auth(&token);
                if matches!(method, "POST" | "PUT" | "PATCH") {
                    request = request.json(&serde_json::json!({}));
                }
                // What goes on for ever would be a stream that should not have begun.
                let answer = request.timeout(Duration::from_secs(60)).send().await.unwrap();
                let status = answer.status().as_u16();
                let headers = format!("{:?}", answer.headers());
                let text = headers + &answer.text().await.unwrap();
                let what = format!("{method} {path} by {}: {status}", outsider.name);
                // What is for everybody, or for HR, says at most something of whoever asks.
                let may = ![Subject::Wallet, Subject::Receipt, Subject::Program, Subject::Everything]
                    .contains(&route.subject);
                assert!(may || matches!(status, 303 | 400..=499), "{what} {text}");
                assert!(status < 500, "{what} {text}");
                let kept =
                    if route.subject == Subject::Programs && status == 200 { &private } else { &secrets };
                for secret in kept {
                    assert!(!text.contains(secret), "{what} tells {secret}: {text}");
                }
                if method == "POST" && route.subject == Subject::Viewer {
                    token = outsider.token().await;
                }
                asked += 1;
            }
        }
    }
    println!("{asked} requests, {} secrets", secrets.len());
    assert!(asked >= outsiders.len() * METHODS.len() * routes::<Fake>().len(), "{asked}");
    short_lived.end().await;
    service.end().await;
}
