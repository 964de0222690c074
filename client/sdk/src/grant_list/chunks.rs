//! A list cut into calls.

use pallet_entitlements::{Call, Grants, BASKET_LINES_MAX, MINTS_MAX};
use stipend_primitives::mint::Grant;
use stipend_runtime::RuntimeCall;

use super::rows::Row;

/// Cuts rows into chunks of at most as many entitlements as one call may make; `lines` says how many a grant
/// makes. Returns how many rows each chunk has.
///
/// With [`lines_max`] the cut depends on the rows alone, so the same list always yields the same calls.
pub fn chunks(rows: &[Row], lines: impl Fn(&Grant) -> usize) -> Vec<usize> {
    let mut chunks = Vec::new();
    let (mut rows_count, mut entitlements_count) = (0, 0);
    for row in rows {
        let count = lines(&row.grant).max(1);
        if rows_count > 0 && entitlements_count + count > MINTS_MAX as usize {
            chunks.push(rows_count);
            (rows_count, entitlements_count) = (0, 0);
        }
        rows_count += 1;
        entitlements_count += count;
    }
    chunks.push(rows_count);
    chunks
}

/// The most entitlements that a grant can make, whatever its basket holds now.
pub fn lines_max(grant: &Grant) -> usize {
    match grant {
        Grant::One { .. } => 1,
        Grant::Basket { .. } => BASKET_LINES_MAX as usize,
    }
}

/// The call that carries a chunk out; `None` if it has more rows than a call may have.
pub fn call(rows: &[Row]) -> Option<RuntimeCall> {
    let grants: Vec<_> = rows.iter().map(|row| (row.owner.clone(), row.grant.clone())).collect();
    let grants: Grants = grants.try_into().ok()?;
    Some(Call::mint_many { grants }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stipend_primitives::AccountId;

    fn rows(count: u64, grant: Grant) -> Vec<Row> {
        let row = |line| Row { line, owner: AccountId::new([1; 32]), grant: grant.clone() };
        (0..count).map(row).collect()
    }

    #[test]
    fn a_chunk_has_as_many_rows_as_a_call_may_have() {
        let one = Grant::One { program: 0, amount: 1, valid_from: None, valid_until: None };
        assert_eq!(chunks(&rows(1, one.clone()), lines_max), [1]);
        assert_eq!(chunks(&rows(512, one.clone()), lines_max), [512]);
        assert_eq!(chunks(&rows(1_025, one.clone()), lines_max), [512, 512, 1]);
        assert!(call(&rows(512, one.clone())).is_some() && call(&rows(513, one)).is_none());
    }

    #[test]
    fn baskets_count_with_all_their_lines() {
        let basket = Grant::Basket { basket: 1 };
        assert_eq!(chunks(&rows(70, basket.clone()), |_| 16), [32, 32, 6]);
        assert_eq!(chunks(&rows(200, basket), |_| 3), [170, 30]);
    }
}
