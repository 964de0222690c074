//! Values of arguments.

use sp_core::{crypto::Ss58Codec, H256};
use stipend_sdk::{
    primitives::{AccountId, Endpoint, Name, Role, ENDPOINT_LEN_MAX, NAME_LEN_MAX},
    Signer,
};

/// All roles, in the order of the chain.
pub(crate) const ROLES: [Role; 7] = [
    Role::Council,
    Role::Issuer,
    Role::Gateway,
    Role::Provider,
    Role::Validator,
    Role::Evaluator,
    Role::Auditor,
];

/// Reads an account: an address, a public key in hex after `0x`, or a development name like `//Alice`.
pub(crate) fn account(text: &str) -> Result<AccountId, String> {
    if text.starts_with("//") {
        return Signer::from_uri(text).map(|signer| signer.account()).map_err(|error| error.to_string());
    }
    if text.starts_with("0x") {
        return bytes::<32>(text).map(AccountId::new);
    }
    AccountId::from_ss58check(text).map_err(|_| {
        format!("\"{text}\" is not an account: write its address (5…), its public key (0x and 64 hex digits) or a development name (//Alice); look for a mistyped character")
    })
}

/// Writes an account as its address.
pub(crate) fn address(account: &AccountId) -> String {
    account.to_ss58check()
}

/// Reads a role by its name.
pub(crate) fn role(text: &str) -> Result<Role, String> {
    ROLES.into_iter().find(|role| role_name(*role) == text).ok_or_else(|| {
        let names: Vec<_> = ROLES.into_iter().map(role_name).collect();
        format!("\"{text}\" is not a role: choose one of {}", names.join(", "))
    })
}

/// A role's name.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Council => "council",
        Role::Issuer => "issuer",
        Role::Gateway => "gateway",
        Role::Provider => "provider",
        Role::Validator => "validator",
        Role::Evaluator => "evaluator",
        Role::Auditor => "auditor",
    }
}

/// Reads `N` bytes in hex, with or without `0x`.
pub(crate) fn bytes<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
        .map(|()| bytes)
        .map_err(|_| format!("\"{text}\" is not {N} bytes: write {} hex digits", 2 * N))
}

/// Reads a hash in hex.
pub(crate) fn hash(text: &str) -> Result<H256, String> {
    bytes(text).map(H256)
}

/// Reads a name.
pub(crate) fn name(text: &str) -> Result<Name, String> {
    if text.trim().is_empty() {
        return Err("a name cannot be empty".into());
    }
    Name::try_from(text.as_bytes().to_vec())
        .map_err(|_| format!("\"{text}\" is too long: a name has at most {NAME_LEN_MAX} bytes"))
}

/// Reads a service's address.
pub(crate) fn endpoint(text: &str) -> Result<Endpoint, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', '@', ' '])) {
        return Err(format!(
            "\"{text}\" is not a service's address: write http:// or https://, the host and the port, without a path, such as http://10.0.0.7:8080"
        ));
    }
    Endpoint::try_from(text.as_bytes().to_vec())
        .map_err(|_| format!("\"{text}\" is too long: an address has at most {ENDPOINT_LEN_MAX} bytes"))
}

/// Writes bytes that are text on the chain.
pub(crate) use stipend_sdk::printable as text;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_account_can_be_written_in_three_ways() {
        let alice = account("//Alice").unwrap();
        assert_eq!(account(&address(&alice)).unwrap(), alice);
        assert_eq!(account(&format!("0x{}", hex::encode::<&[u8]>(alice.as_ref()))).unwrap(), alice);
    }

    #[test]
    fn a_mistyped_address_is_refused() {
        let mut mistyped = address(&account("//Alice").unwrap());
        let last = mistyped.pop().unwrap();
        mistyped.push(if last == 'x' { 'y' } else { 'x' });
        assert!(account(&mistyped).unwrap_err().contains("mistyped"));
        assert!(account("Alice").is_err());
    }

    #[test]
    fn every_role_has_its_name() {
        for known in ROLES {
            assert_eq!(role(role_name(known)).unwrap(), known);
            assert_eq!(serde_json::to_value(known).unwrap(), role_name(known));
        }
        assert!(role("boss").unwrap_err().contains("council, issuer"));
    }

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        for good in ["http://127.0.0.1:8080", "https://gpu.example", "http://[::1]:80"] {
            assert!(endpoint(good).is_ok(), "{good}");
        }
        for bad in ["gpu.example", "ftp://gpu", "http://", "http://gpu/v1", "http://me@gpu", "http://gpu?x"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_from_the_chain_cannot_steer_the_terminal() {
        assert_eq!(text(b"a\x1b[2Jb"), "a?[2Jb");
    }
}
