//! Secrets are in no log, no answer, no figure and no file that the evaluator writes.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    judging::KEY,
    world::{payload, signature, told, World, B, SECRET},
};

#[tokio::test]
async fn no_secret_is_shown_anywhere() {
    let world = World::new(
        "[merge]\nhold_minutes = 0\n[judge]\nurl = \"http://127.0.0.1:1/v1\"\nkey_file = \"api.key\"\nmodel = \"m\"\n",
    );
    world.secret("api.key", KEY);
    let log = fs::File::create(world.path("log")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stipend-evaluator"))
        .args(["--config", world.path("evaluator.toml").to_str().unwrap(), "serve"])
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    use std::io::{BufRead, BufReader};
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let mut shown = line;
    let body = payload("github_merged.json");
    let url = format!("{address}/v1/webhooks/github");
    let request = |signature: &str| {
        let request = world.client.post(&url).header("content-type", "application/json").body(body.clone());
        request
            .header("x-hub-signature-256", format!("sha256={signature}"))
            .header("x-github-event", "pull_request")
            .header("x-github-delivery", "d")
    };
    for signature in [signature(&body), signature(b"wrong"), SECRET.to_owned()] {
        shown += &told(request(&signature)).await.1.to_string();
    }
    let gitlab = world.client.post(format!("{address}/v1/webhooks/gitlab"));
    shown += &told(gitlab.header("x-gitlab-token", SECRET).body("{}")).await.1.to_string();
    let receipt = crate::world::receipt(B, 1).bytes().to_vec();
    shown += &told(world.client.post(format!("{address}/v1/receipts")).body(receipt)).await.1.to_string();
    for path in ["metrics", "readyz", "healthz"] {
        shown += &world.client.get(format!("{address}/{path}")).send().await.unwrap().text().await.unwrap();
    }
    // A graceful end, so that everything that is logged at the end is there too.
    let ended = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(ended.success() && child.wait().unwrap().success(), "it ends well when it is told to");
    shown += &fs::read_to_string(world.path("log")).unwrap();
    assert!(shown.contains("a webhook is refused"), "the log was looked at: {shown}");
    for file in files(&world.path("data")) {
        shown += &String::from_utf8_lossy(&fs::read(file).unwrap());
    }
    for secret in [SECRET, KEY] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
