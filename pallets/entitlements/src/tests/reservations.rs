//! Credits moved aside for gateways.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use stipend_primitives::{ledger::Ledger, Role};

use crate::{mock::*, types::RESERVATIONS_MAX, Error, Event};

#[test]
fn rows_that_their_wallet_cannot_cover_are_skipped_and_the_others_are_carried_out() {
    test(|| {
        mint(&ada(), 10, None);
        mint(&bob(), 1, None);
        let rows = vec![
            (ada(), INNOVATION, 10 * CREDIT),
            (bob(), INNOVATION, 2 * CREDIT),
            (bob(), PRIORITY, CREDIT),
            (bob(), INNOVATION, 0),
            (account(9), INNOVATION, 1),
        ];
        let rows = BoundedVec::truncate_from(rows);
        assert_ok!(Entitlements::reserve_many(signed(&gateway()), rows, START + HOUR));
        System::assert_last_event(Event::ReservationsMade { gateway: gateway(), made: 1, skipped: 4 }.into());
        assert_eq!(credits(&ada()), [0, 10, 0, 0, 0]);
        assert_eq!(credits(&bob()), [1, 0, 0, 0, 0]);
    });
}

#[test]
fn a_top_up_adds_to_the_reservation_and_ends_at_the_later_moment() {
    test(|| {
        mint(&ada(), 10, None);
        let ends = || Entitlements::gateway_balances(gateway(), vec![ada()])[0].expires_at;
        assert!(reserve(&gateway(), &ada(), 2, 2 * HOUR));
        assert!(reserve(&gateway(), &ada(), 2, HOUR));
        assert_eq!(ends(), START + 2 * HOUR);
        assert!(reserve(&gateway(), &ada(), 2, 3 * HOUR));
        assert_eq!(ends(), START + 3 * HOUR);
        assert_eq!(credits(&ada()), [4, 6, 0, 0, 0]);
        assert_eq!(Entitlements::wallet(ada())[0].reservations.len(), 1);
    });
}

#[test]
fn two_gateways_never_reserve_the_same_credit() {
    test(|| {
        mint(&ada(), 10, None);
        assert!(reserve(&gateway(), &ada(), 7, HOUR));
        assert!(!reserve(&other_gateway(), &ada(), 4, HOUR));
        assert!(reserve(&other_gateway(), &ada(), 3, HOUR));
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 100 * CREDIT), 7 * CREDIT);
        assert_eq!(
            Entitlements::charge_alone(&other_gateway(), &ada(), INNOVATION, 100 * CREDIT),
            3 * CREDIT
        );
    });
}

#[test]
fn a_release_returns_at_most_what_the_gateway_reserved() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        reserve(&other_gateway(), &ada(), 4, HOUR);
        release(&gateway(), &ada(), CREDIT);
        assert_eq!(credits(&ada()), [3, 7, 0, 0, 0]);
        release(&gateway(), &ada(), u128::MAX);
        assert_eq!(credits(&ada()), [6, 4, 0, 0, 0]);
        release(&gateway(), &ada(), 1);
        System::assert_last_event(
            Event::ReservationsReleased { gateway: gateway(), released: 0, skipped: 1 }.into(),
        );
    });
}

#[test]
fn what_expires_first_is_reserved_first_and_released_last() {
    test(|| {
        let never = mint(&ada(), 10, None);
        let soon = mint(&ada(), 10, Some(START + DAY));
        reserve(&gateway(), &ada(), 15, HOUR);
        assert_eq!([soon, never].map(|id| credits_of(id)[1]), [10, 5]);
        release(&gateway(), &ada(), 7 * CREDIT);
        assert_eq!([soon, never].map(|id| credits_of(id)[1]), [8, 0]);
    });
}

#[test]
fn only_gateways_reserve_and_release() {
    test(|| {
        let rows = || BoundedVec::truncate_from(vec![(ada(), INNOVATION, CREDIT)]);
        assert_noop!(
            Entitlements::reserve_many(signed(&ada()), rows(), START + HOUR),
            Error::<Test>::NotGateway
        );
        assert_noop!(Entitlements::release(signed(&ada()), rows()), Error::<Test>::NotGateway);
    });
}

#[test]
fn a_reservation_ends_after_now_and_within_what_the_chain_allows() {
    test(|| {
        for expires_at in [0, START, START + 7 * DAY + 1, u64::MAX] {
            assert_noop!(
                Entitlements::reserve_many(signed(&gateway()), BoundedVec::default(), expires_at),
                Error::<Test>::ReservationTimeInvalid
            );
        }
        let latest = START + 7 * DAY;
        assert_ok!(Entitlements::reserve_many(signed(&gateway()), BoundedVec::default(), latest));
    });
}

#[test]
fn a_wallet_has_room_for_a_bounded_number_of_gateways_and_an_ended_reservation_makes_room() {
    test(|| {
        mint(&ada(), 100, None);
        let gateways: Vec<_> = (0..=RESERVATIONS_MAX as u8).map(|number| account(0x40 + number)).collect();
        for gateway in &gateways {
            RoleHolders::mutate(|holders| holders.push((gateway.clone(), Role::Gateway)));
        }
        let (last, others) = gateways.split_last().unwrap();
        assert!(others.iter().all(|gateway| reserve(gateway, &ada(), 1, HOUR)));
        assert!(!reserve(last, &ada(), 1, HOUR));
        assert!(reserve(&others[0], &ada(), 1, 2 * HOUR));
        wait(HOUR);
        assert!(reserve(last, &ada(), 1, HOUR));
    });
}

#[test]
fn a_reservation_used_up_leaves_no_trace() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 4 * CREDIT);
        assert!(Entitlements::wallet(ada())[0].reservations.is_empty());
    });
}
