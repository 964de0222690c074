//! What is asked: every page and every answer of the API, for wallets with few and with very many receipts.

use sp_core::crypto::Ss58Codec;
use stipend_wallet::{access::Subject, http::routes};

use super::{registry::gateway, source::MadeUp};

/// One question, and what it is called in the figures.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) path: String,
}

/// What the questions are about.
pub(super) struct Subjects {
    /// The wallet with a fifth of all receipts.
    pub(super) many: String,
    /// One with few.
    pub(super) few: String,
    /// Where a list is in its middle.
    pub(super) deep: String,
    /// A wallet's number in the middle of all.
    pub(super) wallet: u32,
    /// A receipt's number in the middle of a gateway's.
    pub(super) seq: u64,
}

/// The questions, and the routes that are not asked.
pub(super) fn questions(about: &Subjects) -> (Vec<Question>, Vec<&'static str>) {
    let (mut asked, mut left) = (Vec::new(), Vec::new());
    for route in routes::<MadeUp>() {
        // Streams and files go on for as long as they are long, and what is public shows no table.
        let is_page = route.method == "GET"
            && route.subject != Subject::Public
            && !route.path.ends_with("/live")
            && !route.path.contains("{file}");
        let variants = if is_page { variants(route.path, about) } else { Vec::new() };
        if variants.is_empty() {
            left.push(route.path);
        }
        asked.extend(variants);
    }
    (asked, left)
}

fn variants(route: &str, about: &Subjects) -> Vec<Question> {
    let question = |what: &str, path: String| {
        let name = if what.is_empty() { route.to_owned() } else { format!("{route} ({what})") };
        Question { name, path }
    };
    let lists = route.ends_with("/receipts");
    let mut found = Vec::new();
    if route.contains("{account}") {
        let of = |account: &str| route.replace("{account}", account);
        found.push(question("few receipts", of(&about.few)));
        found.push(question("many", of(&about.many)));
        if lists {
            found.push(question("many, deep", format!("{}?after={}", of(&about.many), about.deep)));
            found.push(question("many, 500 rows", format!("{}?limit=500", of(&about.many))));
        }
        if route.ends_with("/days") || route == "/wallets/{account}" {
            found.push(question("many, all days", format!("{}?days=3660", of(&about.many))));
        }
    } else if route.contains("{gateway}") {
        let path = route.replace("{gateway}", &gateway(0).to_ss58check());
        found.push(question("", path.replace("{seq}", &about.seq.to_string())));
    } else if route.contains("{program}") {
        found.push(question("", route.replace("{program}", "0")));
        found.push(question("500 rows", format!("{}?limit=500", route.replace("{program}", "0"))));
    } else if !route.contains('{') {
        found.push(question("", route.to_owned()));
        if lists {
            found.push(question("deep", format!("{route}?after={}", about.deep)));
            found.push(question("500 rows", format!("{route}?limit=500")));
        }
        if route.ends_with("/wallets") {
            found.push(question("deep", format!("{route}?after={}", about.wallet)));
            found.push(question("500 rows", format!("{route}?limit=500")));
        }
        if route.ends_with("/totals") || route == "/audit" {
            found.push(question("all days", format!("{route}?days=3660")));
        }
    }
    found
}
