//! The notice of a chain.

use frame_support::assert_noop;
use sp_runtime::BuildStorage;

use crate::{mock::*, Error, GenesisConfig, Notice};

#[test]
fn a_chain_has_the_runtimes_notice_unless_it_chose_its_own() {
    for (chosen, notice) in [(None, NOTICE), (Some(5_000), 5_000)] {
        let config = GenesisConfig::<Test> { notice_ms: chosen, ..Default::default() };
        sp_io::TestExternalities::new(config.build_storage().unwrap())
            .execute_with(|| assert_eq!(Notice::<Test>::get(), notice));
    }
}

#[test]
#[should_panic(expected = "announced before it holds")]
fn there_is_always_a_notice() {
    let _ = GenesisConfig::<Test> { notice_ms: Some(0), ..Default::default() }.build_storage();
}

#[test]
fn the_notice_that_was_chosen_is_kept_to() {
    test(|| {
        Notice::<Test>::put(2 * NOTICE);
        let from = Now::get() + 2 * NOTICE;
        assert_noop!(
            Merit::register_kind(council(), name("commit"), rule(), from - 1),
            Error::<Test>::TooSoon
        );
        Merit::register_kind(council(), name("commit"), rule(), from).unwrap();
    });
}
