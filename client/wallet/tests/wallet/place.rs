//! Where a test's tables are.

use std::path::Path;

use stipend_wallet::db::Place;

pub fn sqlite(folder: &Path) -> Place {
    Place::Sqlite(folder.join("wallet.db"))
}
