//! The command as an operator meets it.
#![allow(clippy::unwrap_used)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

fn run(config: &Path, more: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stipend-gateway"))
        .arg("--config")
        .arg(config)
        .args(more)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_bad_configuration_exits_64_with_every_fault_before_anything_is_bound() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("gateway.toml");
    fs::write(dir.path().join("token"), "\n").unwrap();
    fs::write(
        &config,
        "listen = \"nowhere\"\nchain = \"ws://127.0.0.1:1\"\nkey_file = \"key\"\ndata_dir = \"data\"\n\
         [[upstream]]\nprovider = \"x\"\nurl = \"ftp://x\"\ntoken_file = \"token\"\nmodels = [\"m\"]\n",
    )
    .unwrap();
    let (status, stdout, stderr) = run(&config, &[]);
    assert_eq!((status, stdout.as_str()), (64, ""));
    for named in ["`listen`", "`key_file`", "`provider`", "`url`", "an empty secret is none"] {
        assert!(stderr.contains(named), "{named} is not in {stderr}");
    }
    assert!(!dir.path().join("data").exists());
    let (status, _, stderr) = run(&dir.path().join("missing.toml"), &[]);
    assert_eq!(status, 64);
    assert!(stderr.contains("missing.toml"));
}

#[test]
fn a_good_configuration_passes_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "11".repeat(32)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(dir.path().join("token"), "secret\n").unwrap();
    let config = dir.path().join("gateway.toml");
    fs::write(
        &config,
        "listen = \"127.0.0.1:0\"\nchain = \"ws://127.0.0.1:1\"\nkey_file = \"key\"\ndata_dir = \"data\"\n\
         [[upstream]]\nprovider = \"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY\"\n\
         url = \"http://127.0.0.1:1\"\ntoken_file = \"token\"\nmodels = [\"m\"]\n",
    )
    .unwrap();
    assert_eq!(run(&config, &["--check"]).0, 0);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (status, _, stderr) = run(&config, &["--check"]);
    assert_eq!(status, 64);
    assert!(stderr.contains("key_file"), "{stderr}");
}

#[test]
fn the_runner_of_a_job_needs_no_configuration_and_says_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_stipend-gateway")).args(args).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, stderr) = run(&["run-job", "--dir", dir.path().to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(stderr.contains("Is the job's Secret mounted there?"), "{stderr}");
    let (status, stderr) = run(&[]);
    assert!(status == 2 && stderr.contains("--config"), "{stderr}");
}
