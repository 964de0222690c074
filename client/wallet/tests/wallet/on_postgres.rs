//! Everything once more, on PostgreSQL, and what only a server can do to its clients.

use std::{path::Path, process::Command, time::Duration};

use stipend_sdk::Signer;
use stipend_wallet::db::{self, Place, Server};

use super::{
    cluster::{run_sql, say_missing, Cluster, CLUSTER, PASSWORD, USER},
    history::History,
    place,
    projection::{blocking, catch_up, dumped},
    service::Service,
};

/// The tests that use tables: all but the browser's, which shows pages and not databases.
const MODULES: [&str; 8] = [
    "access::",
    "crash::",
    "exports::",
    "on_postgres::server::",
    "programs::",
    "projection::",
    "service::",
    "speed::",
];

#[test]
fn everything_holds_on_postgresql_too() {
    let Some(cluster) = Cluster::start(&["fsync=off", "max_connections=200"]) else { return say_missing() };
    let own = std::env::current_exe().unwrap();
    let done = Command::new(own)
        .args(MODULES)
        .arg("--include-ignored")
        .env(CLUSTER, cluster.address())
        .env(format!("{CLUSTER}_PORT"), cluster.port.to_string())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}");
    let passed = said.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ok")).count();
    assert!(MODULES.iter().all(|module| said.contains(&format!("test {module}"))), "{said}");
    println!("{passed} tests on PostgreSQL");
}

/// These need the cluster that the test above starts.
mod server {
    use super::*;

    fn over_network(options: &str, password: &str) -> Place {
        let port = std::env::var(format!("{CLUSTER}_PORT")).expect("started by the test above");
        let address = format!("postgresql://{USER}@127.0.0.1:{port}/postgres?{options}");
        Place::Postgres(Server::parse(&address, Some(password), Path::new("/")).unwrap())
    }

    #[test]
    #[ignore = "everything_holds_on_postgresql_too runs it"]
    fn a_connection_is_encrypted_to_the_authority_that_is_named_and_to_no_other() {
        let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/tests/data/tls/ca.pem");
        let named = format!("sslmode=require&sslrootcert={}", authority.display());
        let mut connection = over_network(&named, PASSWORD).open().unwrap();
        let asked = "SELECT CASE WHEN ssl THEN 1::bigint ELSE 0::bigint END FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        assert!(connection.query(asked, &[]).unwrap()[0].flag(0).unwrap());
        drop(connection);
        let wrong = "hunter2-is-wrong";
        for (options, password, reason) in [
            // Its certificate is not one that the system trusts.
            ("sslmode=require", PASSWORD, "certificate"),
            ("sslmode=prefer", PASSWORD, "certificate"),
            // The server lets nobody in who does not encrypt.
            ("sslmode=disable", PASSWORD, "no encryption"),
            (&named, wrong, "password authentication failed"),
            ("sslmode=require&sslrootcert=/nowhere.pem", PASSWORD, "/nowhere.pem"),
        ] {
            let error = over_network(options, password).open().err().unwrap();
            let said = format!("{error} {error:?}");
            assert!(said.contains(reason), "{options}: {said}");
            assert!(!said.contains(PASSWORD) && !said.contains(wrong), "{said}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "everything_holds_on_postgresql_too runs it"]
    async fn lost_connections_are_opened_anew_and_nothing_is_lost() {
        let signer = Signer::generate();
        let mut history = History::new(17, vec![signer.account()]);
        history.run(20);
        let folder = tempfile::tempdir().unwrap();
        let address = place::address(folder.path());
        let service = Service::start_on(history.fake.clone(), place::place(&address), folder).await;
        let token = service.sign_in(&signer).await;
        let wallet = format!("/api/v1/wallets/{}/receipts", signer.address());
        for _ in 0..5 {
            assert!(service.get(&wallet, &token).await.status().is_success());
            run_sql(
                &address,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            history.run(10);
            service.wait_until_ready().await;
            assert!(service.get(&wallet, &token).await.status().is_success());
        }
        service.end().await;
        let anew = place::tables(Path::new("/"));
        catch_up(&history.fake, &anew).await.unwrap();
        let old = place::place(&address);
        let (one, other) = blocking(move || (dumped(&old), dumped(&anew))).await;
        assert_eq!(one, other);
    }

    #[tokio::test]
    #[ignore = "everything_holds_on_postgresql_too runs it"]
    async fn a_connection_may_be_dropped_where_nothing_may_wait() {
        let folder = tempfile::tempdir().unwrap();
        let address = place::address(folder.path());
        let tables = place::place(&address);
        let mut connection = tokio::task::spawn_blocking(move || tables.open().unwrap()).await.unwrap();
        let lead = move || {
            db::lead(&mut *connection).unwrap();
            connection
        };
        let connection = tokio::task::spawn_blocking(lead).await.unwrap();
        drop(connection);
        // The right to write goes with it.
        let tables = place::place(&address);
        tokio::task::spawn_blocking(move || db::lead(&mut *tables.open().unwrap()).unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
