//! How fast pages are with many receipts.

use std::time::{Duration, Instant};

use stipend_primitives::Role;
use stipend_sdk::Signer;
use stipend_wallet::db::{self, Place};

use super::{history::History, place::tables, projection::catch_up, service::Service};

/// Makes copies of the receipts that are there, as later ones of the same batches.
pub fn multiply(place: &Place, receipts: i64) {
    let mut connection = place.open().unwrap();
    db::transaction(&mut *connection, |connection| {
        loop {
            let rows = connection.query("SELECT COUNT(*), MAX(seq) + 1 FROM receipts", &[])?;
            let (count, step) = (rows[0].int(0)?, rows[0].int(1)?);
            if count >= receipts {
                return Ok::<_, db::DbError>(());
            }
            connection.execute(
                "INSERT INTO receipts SELECT gateway, seq + ?1, wallet, provider, book, model, class, input, cached,
                 output, cost, fee, uncollected, uncollected_fee, digest, block, moment, first_seq, cost_before
                 FROM receipts LIMIT ?2",
                &[step.into(), (receipts - count).into()],
            )?;
        }
    })
    .unwrap();
}

/// With a hundred thousand receipts. `make bench-wallet` measures ten million of them.
#[tokio::test(flavor = "multi_thread")]
async fn pages_stay_fast_with_many_receipts() {
    let (receipts, rounds) = (100_000, 40);
    let (owner, auditor) = (Signer::generate(), Signer::generate());
    let mut history = History::new(9, vec![owner.account(), Signer::generate().account()]);
    history.run(120);
    history.settle_all();
    history.fake.grant(&auditor.account(), Role::Auditor);
    let folder = tempfile::tempdir().unwrap();
    let place = tables(folder.path());
    catch_up(&history.fake, &place).await.unwrap();
    let at = place.clone();
    tokio::task::spawn_blocking(move || multiply(&at, receipts)).await.unwrap();
    let service = Service::start_on(history.fake.clone(), place, folder).await;
    let (own, all) = (service.sign_in(&owner).await, service.sign_in(&auditor).await);
    let wallet = format!("/wallets/{}", owner.address());
    let deep: serde_json::Value =
        service.get(&format!("/api/v1{wallet}/receipts?limit=500"), &own).await.json().await.unwrap();
    let deep = format!("{wallet}/receipts?after={}", deep["next"].as_str().unwrap());
    let mut took: Vec<(Duration, &str)> = Vec::new();
    let paths = [
        (wallet.as_str(), &own),
        (&format!("{wallet}/receipts"), &own),
        (&deep, &own),
        (&format!("{wallet}/grants"), &own),
        ("/audit", &all),
        ("/audit/receipts", &all),
        ("/audit/wallets", &all),
        ("/programs/0", &all),
    ];
    for _ in 0..rounds {
        for (path, token) in &paths {
            let started = Instant::now();
            let answer = service.get(path, token).await;
            assert!(answer.status().is_success(), "{path}");
            answer.bytes().await.unwrap();
            took.push((started.elapsed(), path));
        }
    }
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    println!(
        "{receipts} receipts: median {:.1} ms, p99 {:.1} ms ({})",
        took[took.len() / 2].0.as_secs_f64() * 1e3,
        p99.0.as_secs_f64() * 1e3,
        p99.1
    );
    // The machine of a test may be busy with others. A question that reads all receipts takes longer than this.
    assert!(p99.0 < Duration::from_millis(500), "p99 {:?} at {}", p99.0, p99.1);
    service.end().await;
}
