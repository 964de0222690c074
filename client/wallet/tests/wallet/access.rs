//! Every route, asked as everybody: nobody gets anything of somebody else's wallet.

use sp_core::crypto::Ss58Codec;
use stipend_primitives::Role;
use stipend_sdk::Signer;
use stipend_wallet::{access::Subject, http::routes};

use super::{
    fake::{account, Fake},
    history::{History, GATEWAYS},
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
