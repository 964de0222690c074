use sp_runtime::BuildStorage;

use super::world::*;
use crate::{mock::*, types::GenesisProvider, GenesisConfig, Providers};

fn genesis(endpoint: &str) -> GenesisConfig<Test> {
    let provider = GenesisProvider { account: account(9), key: [5; 32], endpoint: endpoint.to_owned() };
    GenesisConfig { providers: vec![provider], ..Default::default() }
}

#[test]
fn the_chain_specification_can_name_providers() {
    let storage = genesis("http://10.0.0.7:9100").build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        let provider = Providers::<Test>::get(account(9)).unwrap();
        assert_eq!(provider.key, [5; 32]);
        assert_eq!(provider.endpoint.as_slice(), b"http://10.0.0.7:9100");
        assert!(!provider.suspended);
    });
}

#[test]
#[should_panic(expected = "without a path")]
fn a_bad_endpoint_in_the_chain_specification_stops_the_build() {
    let _ = genesis("http://10.0.0.7:9100/v1").build_storage();
}

#[test]
fn providers_in_json_are_readable() {
    let json = format!(
        r#"{{"providers":[{{"account":"{}","key":"0x{}","endpoint":"http://a"}}]}}"#,
        "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM",
        "05".repeat(32),
    );
    let config: GenesisConfig<Test> = serde_json::from_str(&json).unwrap();
    assert_eq!(config.providers[0].key, [5; 32]);
    assert_eq!(config.providers[0].account, account(0));
}
