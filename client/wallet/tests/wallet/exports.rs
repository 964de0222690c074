//! Exports add up to the chain, and keep the rules of their formats.

mod columns;
mod dataset;
mod events;
mod focus;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use parquet::file::reader::{FileReader, SerializedFileReader};

use serde_json::Value;
use stipend_primitives::{AccountId, Credits};
use stipend_wallet::{
    db::Place,
    export::{self, Export, FOCUS_COLUMNS},
};

use self::{
    focus::{get, Rule},
    table::{pico, Row, Table},
};
use super::{
    history::History,
    place::tables,
    projection::{catch_up, owners},
    speed::multiply,
};

fn exported(place: &Place, kind: Export, owner: Option<&AccountId>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut connection = place.open().unwrap();
    export::write(&mut *connection, kind, owner, "https://wallet.example", &mut |chunk| {
        bytes.extend(chunk);
        Ok(())
    })
    .unwrap();
    bytes
}

/// Random histories: two of them, or forty where STIPEND_TEST_LONG is set; or the one of STIPEND_TEST_SEED.
fn seeds() -> Vec<u64> {
    if let Some(seed) = std::env::var("STIPEND_TEST_SEED").ok().and_then(|text| text.parse().ok()) {
        return vec![seed];
    }
    let long = std::env::var_os("STIPEND_TEST_LONG").is_some();
    (0..if long { 40 } else { 2 }).map(|_| rand::random()).collect()
}

async fn world(seed: u64) -> (History, tempfile::TempDir, Place) {
    println!("seed: STIPEND_TEST_SEED={seed}");
    let mut history = History::new(seed, owners());
    // Over two months, so that some settlements come in the month after their batch.
    history.step_ms = 17 * 3_600_000;
    history.run(90);
    history.settle_all();
    let folder = tempfile::tempdir().unwrap();
    let place = tables(folder.path());
    catch_up(&history.fake, &place).await.unwrap();
    (history, folder, place)
}

/// What the chain says was spent, by owner and class.
fn spent(history: &History) -> BTreeMap<(String, u16), Credits> {
    let (_, ledger) = history.fake.head();
    let rows = ledger.wallets.iter().flat_map(|(owner, (balances, _))| {
        balances.iter().map(move |row| ((owner.to_string(), row.class.0), row.amounts.spent))
    });
    rows.filter(|(_, spent)| *spent > 0).collect()
}

/// What rows say was paid, by owner and class, in micro-credits.
fn paid(rows: &[Row]) -> BTreeMap<(String, u16), Credits> {
    let mut sums: BTreeMap<(String, u16), i128> = BTreeMap::new();
    for row in rows {
        let key =
            (get(row, "SubAccountId").unwrap().to_owned(), get(row, "x_ClassId").unwrap().parse().unwrap());
        let amount = pico(get(row, "PricingCurrencyEffectiveCost").unwrap()).unwrap();
        assert_eq!(amount % 1_000_000, 0, "parts of a micro-credit: {row:?}");
        *sums.entry(key).or_default() += amount / 1_000_000;
    }
    let sums = sums.into_iter().filter(|(_, sum)| *sum != 0);
    sums.map(|(key, sum)| (key, sum.try_into().unwrap())).collect()
}

fn check(table: &Table, rules: &[Rule]) {
    assert_eq!(dataset::broken(table), Vec::<String>::new());
    for row in &table.rows {
        let broken = focus::broken(rules, row);
        assert!(broken.is_empty(), "{broken:?}: {row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn focus_rows_keep_the_rules_and_add_up_to_the_chain() {
    let rules = focus::rules();
    let mut seen = BTreeSet::new();
    for seed in seeds() {
        let (history, _folder, place) = world(seed).await;
        let owner = owners()[0].clone();
        let files = tokio::task::spawn_blocking(move || {
            [None, Some(&owner)].map(|who| {
                (exported(&place, Export::FocusCsv, who), exported(&place, Export::FocusParquet, who))
            })
        });
        let [all, own] = files.await.unwrap().map(|(csv, parquet)| {
            let (csv, parquet) = (table::of_csv(&csv), table::of_parquet(parquet));
            assert_eq!(csv.columns, FOCUS_COLUMNS);
            check(&csv, &rules);
            check(&parquet, &rules);
            assert_eq!(csv.columns, parquet.columns);
            assert_eq!(csv.rows, parquet.rows, "seed {seed}: the two files say the same");
            csv.rows
        });
        let expected = spent(&history);
        assert_eq!(paid(&all), expected, "seed {seed}");
        let whose = owners()[0].to_string();
        let of_owner = expected.into_iter().filter(|((owner, _), _)| *owner == whose);
        assert_eq!(paid(&own), of_owner.collect(), "seed {seed}");
        let words = |row: &Row, column| get(row, column).unwrap_or("none").to_owned();
        seen.extend(all.iter().map(|row| (words(row, "ChargeCategory"), words(row, "ChargeClass"))));
    }
    // Corrections of an earlier month are rare: a random history may have none.
    for category in ["Usage", "Adjustment"] {
        assert!(seen.contains(&(category.into(), "none".into())), "{category}: {seen:?}");
    }
}

/// A sound row of a category that corrects nothing.
fn sample(rows: &[Row], category: &str) -> Row {
    let is_it =
        |row: &&Row| get(row, "ChargeCategory") == Some(category) && get(row, "ChargeClass").is_none();
    rows.iter().find(is_it).unwrap_or_else(|| panic!("no {category}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_focus_bites() {
    let (_history, _folder, place) = world(20).await;
    let bytes = tokio::task::spawn_blocking(move || exported(&place, Export::FocusCsv, None)).await.unwrap();
    let table = table::of_csv(&bytes);
    let rules = focus::rules();
    for rule in &rules {
        let sound = sample(&table.rows, rule.category);
        assert_eq!(focus::broken(&rules, &sound), Vec::<&str>::new());
        assert!(!rule.breaks.is_empty(), "{}", rule.name);
        for breaks in &rule.breaks {
            let mut row = sound.clone();
            row.extend(breaks.iter().map(|(column, value)| ((*column).into(), value.map(str::to_owned))));
            assert!(!(rule.holds)(&row), "{} lets {breaks:?} through", rule.name);
        }
    }
    println!("{} rules of rows", rules.len());
    for missing in columns::known() {
        let kept = table.columns.iter().filter(|column| *column != missing).cloned().collect();
        let broken = dataset::broken(&Table { columns: kept, rows: vec![] });
        assert!(broken.len() == 1 && broken[0].starts_with(missing), "without {missing}: {broken:?}");
    }
    for (more, complaint) in [
        ("Wallet", "x_ prefix"),
        ("x_wallet", "Pascal case"),
        ("x_Wallet_Id", "Pascal case"),
        ("x_Sequence", "none twice"),
    ] {
        let columns = table.columns.iter().cloned().chain([more.to_owned()]).collect();
        let broken = dataset::broken(&Table { columns, rows: vec![] });
        assert!(broken.iter().any(|name| name.contains(complaint)), "{more}: {broken:?}");
    }
    let mut other = sample(&table.rows, "Usage");
    let rows = vec![other.clone(), {
        other.insert("SkuId".into(), Some("another".into()));
        other
    }];
    let broken = dataset::broken(&Table { columns: table.columns.clone(), rows });
    assert!(broken.len() == 1 && broken[0].contains("one parent"), "{broken:?}");
}

fn amount(value: &Value) -> i128 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_and_events_add_up_to_the_chain_too() {
    for seed in seeds() {
        let (history, _folder, place) = world(seed).await;
        let (receipts, events) = tokio::task::spawn_blocking(move || {
            (exported(&place, Export::Receipts, None), exported(&place, Export::OpenMeter, None))
        })
        .await
        .unwrap();
        let lines = |bytes: &[u8]| -> Vec<Value> {
            let text = std::str::from_utf8(bytes).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let expected = i128::try_from(spent(&history).values().sum::<u128>()).unwrap();
        let of_row = |row: &Value| match row["kind"].as_str().unwrap() {
            "receipt" => {
                amount(&row["cost"]) + amount(&row["fee"])
                    - amount(&row["uncollected"])
                    - amount(&row["uncollected_fee"])
            }
            _ => -amount(&row["amount"]),
        };
        assert_eq!(lines(&receipts).iter().map(of_row).sum::<i128>(), expected, "seed {seed}");
        let (mut sum, mut ids) = (0, BTreeSet::new());
        for event in lines(&events) {
            let broken = events::broken(&event);
            assert!(broken.is_empty(), "{broken:?}: {event}");
            let id = (event["source"].to_string(), event["id"].to_string());
            assert!(ids.insert(id), "source and id stand twice: {event}");
            let data = &event["data"];
            sum += match event["type"].as_str().unwrap() {
                "stipend.receipt" => {
                    amount(&data["cost_microcredits"]) + amount(&data["priority_fee_microcredits"])
                }
                _ => -amount(&data["refund_microcredits"]),
            };
        }
        assert_eq!(sum, expected, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_cloud_events_bites() {
    let (_history, _folder, place) = world(31).await;
    let bytes = tokio::task::spawn_blocking(move || exported(&place, Export::OpenMeter, None)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let sound: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    for rule in events::RULES {
        assert_eq!(events::broken(&sound), Vec::<&str>::new());
        let mut event = sound.clone();
        (rule.breaks)(&mut event);
        assert!(!(rule.holds)(&event), "{} lets {event} through", rule.name);
    }
}

/// The most memory that this process has had, in MiB.
fn memory_mib_max() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or_default()
        / 1_024
}

/// With a hundred thousand receipts, or, where STIPEND_TEST_LONG is set, with ten million.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_export_comes_in_pieces_whose_size_does_not_grow() {
    const PIECE_MAX: usize = 16 << 20;
    let long = std::env::var_os("STIPEND_TEST_LONG").is_some();
    let receipts = if long { 10_000_000 } else { 100_000 };
    let (_history, folder, place) = world(9).await;
    tokio::task::spawn_blocking(move || {
        multiply(&place, receipts);
        let before = memory_mib_max();
        let path = folder.path().join("focus.parquet");
        let mut file = std::fs::File::create(&path).unwrap();
        let (mut pieces, mut largest) = (0, 0);
        let mut connection = place.open().unwrap();
        export::write(&mut *connection, Export::FocusParquet, None, "https://wallet.example", &mut |piece| {
            (pieces, largest) = (pieces + 1, largest.max(piece.len()));
            file.write_all(&piece).unwrap();
            Ok(())
        })
        .unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let rows = reader.metadata().file_metadata().num_rows();
        println!(
            "{receipts} receipts, {rows} rows, {} MiB in {pieces} pieces, the largest {} KiB; memory {before} MiB before, {} MiB then",
            path.metadata().unwrap().len() >> 20,
            largest >> 10,
            memory_mib_max()
        );
        assert!(rows > 2 * receipts, "{rows} rows");
        assert!(reader.num_row_groups() > 3 && largest < PIECE_MAX, "{largest} bytes at a time");
    })
    .await
    .unwrap();
}
