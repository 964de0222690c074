use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;
use sp_runtime::DispatchError;
use stipend_primitives::{ledger::Roles, Endpoint, Role};

use super::world::*;
use crate::{mock::*, Error, Event, Providers};

fn endpoint(text: &str) -> Endpoint {
    text.as_bytes().to_vec().try_into().unwrap()
}

fn root() -> RuntimeOrigin {
    RuntimeOrigin::root()
}

fn signed(name: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(name))
}

#[test]
fn the_council_registers_an_account_with_the_provider_role() {
    new_test_ext().execute_with(|| {
        RolesStandIn::grant(&account(9), Role::Provider);
        let where_to = endpoint("http://10.0.0.9:9100");
        assert_ok!(Settlement::register_provider(root(), account(9), [5; 32], where_to.clone()));
        assert_eq!(Settlement::providers().len(), 1);
        System::assert_last_event(Event::ProviderRegistered { provider: account(9) }.into());
        assert_noop!(
            Settlement::register_provider(signed(9), account(9), [5; 32], where_to),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn an_account_without_the_role_is_not_registered() {
    new_test_ext().execute_with(|| {
        assert_noop!(
            Settlement::register_provider(root(), account(9), [5; 32], endpoint("http://a")),
            Error::<Test>::NotProvider
        );
    });
}

#[test]
fn registering_again_replaces_key_and_endpoint_and_lifts_no_suspension() {
    new_test_ext().execute_with(|| {
        let attestor = Attestor::registered(9);
        Providers::<Test>::mutate(&attestor.account, |provider| provider.as_mut().unwrap().suspended = true);
        assert_ok!(Settlement::register_provider(root(), account(9), [6; 32], endpoint("https://b:1")));
        let provider = Providers::<Test>::get(account(9)).unwrap();
        assert_eq!(provider.key, [6; 32]);
        assert_eq!(provider.endpoint, endpoint("https://b:1"));
        assert!(provider.suspended);
    });
}

#[test]
fn evidence_of_another_key_is_forgotten_and_that_of_the_same_stays() {
    new_test_ext().execute_with(|| {
        let attestor = Attestor::registered(9);
        let register = |key| Settlement::register_provider(root(), account(9), key, endpoint("https://b:1"));
        assert_ok!(register(attestor.pair.public().0));
        assert!(Forgotten::get().is_empty());
        assert_ok!(register([6; 32]));
        assert_eq!(Forgotten::get(), [account(9)]);
    });
}

#[test]
fn a_provider_moves_its_own_endpoint_and_nobody_elses() {
    new_test_ext().execute_with(|| {
        let attestor = Attestor::registered(9);
        assert_ok!(Settlement::set_endpoint(signed(9), endpoint("http://[fd00::9]:9100")));
        let provider = Providers::<Test>::get(account(9)).unwrap();
        assert_eq!(provider.endpoint, endpoint("http://[fd00::9]:9100"));
        assert_eq!(provider.key, attestor.pair.public().0);
        System::assert_last_event(Event::EndpointSet { provider: account(9) }.into());
        let elsewhere = endpoint("http://b");
        assert_noop!(Settlement::set_endpoint(signed(8), elsewhere), Error::<Test>::UnknownProvider);
        assert_noop!(Settlement::set_endpoint(signed(9), endpoint("b")), Error::<Test>::BadEndpoint);
    });
}

#[test]
fn a_former_provider_moves_nothing() {
    new_test_ext().execute_with(|| {
        Attestor::registered(9);
        Members::mutate(|members| members.clear());
        let elsewhere = endpoint("http://b");
        assert_noop!(Settlement::set_endpoint(signed(9), elsewhere), Error::<Test>::UnknownProvider);
    });
}

#[test]
fn an_endpoint_is_scheme_host_and_port_and_nothing_else() {
    for good in [
        "http://10.0.0.9:9100",
        "https://gpu-1.example.com",
        "http://localhost:1",
        "http://gpu_1:65535",
        "http://[::1]",
        "https://[fd00::1:2]:443",
    ] {
        assert!(Settlement::is_endpoint(good.as_bytes()), "{good}");
    }
    for bad in [
        "",
        "10.0.0.9:9100",
        "ftp://a",
        "http://",
        "http://:80",
        "http://a:",
        "http://a:0",
        "http://a:65536",
        "http://a:+1",
        "http://a:b",
        "http://a/",
        "http://a/v1",
        "http://a?b",
        "http://a#b",
        "http://user@a",
        "http://a b",
        "http://a\n",
        "http://ä",
        "http://[::1",
        "http://[]",
        "http://[::1]80",
        "http://[::1]:",
        "http://[a@b:c]",
        "http://a:1:2",
        "HTTP://a",
    ] {
        assert!(!Settlement::is_endpoint(bad.as_bytes()), "{bad}");
    }
    assert!(!Settlement::is_endpoint(b"http://\xff"));
}

#[test]
fn only_the_council_reinstates_and_only_who_is_suspended() {
    new_test_ext().execute_with(|| {
        Attestor::registered(9);
        assert_noop!(Settlement::reinstate_provider(root(), account(9)), Error::<Test>::NotSuspended);
        assert_noop!(Settlement::reinstate_provider(root(), account(8)), Error::<Test>::UnknownProvider);
        Providers::<Test>::mutate(account(9), |provider| provider.as_mut().unwrap().suspended = true);
        assert_noop!(Settlement::reinstate_provider(signed(9), account(9)), DispatchError::BadOrigin);
        assert_ok!(Settlement::reinstate_provider(root(), account(9)));
        assert!(!Providers::<Test>::get(account(9)).unwrap().suspended);
        System::assert_last_event(Event::ProviderReinstated { provider: account(9) }.into());
    });
}
