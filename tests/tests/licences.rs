//! The licences of everything that Stipend is built from.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Licences that a dependency may ask for. What is not here needs a decision.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    NODE_LICENCE,
];

/// What the SDK's node crates are under: it allows to link them with code under any licence. The
/// runtime's crates are not under it.
const NODE_LICENCE: &str = "GPL-3.0-or-later WITH Classpath-exception-2.0";

/// Crates that name a file instead of a licence, and what stands in the file.
const READ_BY_US: [(&str, &str); 1] = [("ring", "Apache-2.0 AND ISC")];

#[test]
fn every_dependency_is_under_a_licence_that_we_accept() {
    let refused: Vec<String> = dependencies()
        .into_iter()
        .filter(|(_, licence)| !accepts(licence))
        .map(|(name, licence)| format!("{name}: {licence}"))
        .collect();
    assert!(refused.is_empty(), "replace these, or decide about their licence: {refused:#?}");
}

#[test]
fn only_crates_of_the_node_are_under_the_nodes_licence() {
    let others: Vec<String> = dependencies()
        .into_iter()
        .filter(|(name, licence)| licence.contains(NODE_LICENCE) && !name.starts_with("sc-"))
        .map(|(name, _)| name)
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_licence_is_accepted_by_its_alternatives_and_refused_by_any_of_its_demands() {
    for licence in ["MIT", "GPL-3.0 OR MIT", "Apache-2.0/GPL-3.0", "(GPL-2.0 OR MIT) AND Unicode-3.0"] {
        assert!(accepts(licence), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "AGPL-3.0-only"] {
        assert!(!accepts(licence), "{licence}");
    }
}

/// Whether one of the alternatives asks only for what is allowed.
fn accepts(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ");
    // The only nesting in use: alternatives in brackets inside a list of demands.
    let demands: Vec<&str> = match licence.contains('(') {
        true => licence.split(" AND ").collect(),
        false => vec![&licence],
    };
    demands.iter().all(|demand| {
        let alternatives = demand.trim_matches(['(', ')']).split(" OR ");
        alternatives.into_iter().any(|one| one.split(" AND ").all(|id| ALLOWED.contains(&id.trim())))
    })
}

/// Name and licence of each crate that is built on this platform.
fn dependencies() -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let built: BTreeSet<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .filter(|package| built.contains(package["id"].as_str().unwrap()))
        .map(|package| {
            let name = package["name"].as_str().unwrap();
            let read = READ_BY_US.iter().find(|(crate_name, _)| *crate_name == name);
            let licence = package["license"].as_str().or(read.map(|(_, licence)| *licence));
            (name.to_owned(), licence.unwrap_or_default().to_owned())
        })
        .collect()
}
