//! Whether a webhook comes from who shares the secret.

use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::{Forge, Kind};

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It bears nothing that could be checked.
    #[error("the webhook is not signed: set the secret of this forge in the webhook's settings")]
    Unsigned,
    /// What it bears is wrong.
    #[error("the webhook's signature does not fit its body: the secret there and here are not the same, or the body was changed on the way")]
    Wrong,
}

/// Checks a body as it came, byte for byte. The time that it takes tells nothing of the secret.
pub fn verify(forge: &Forge, headers: &HeaderMap, body: &[u8]) -> Result<(), Unverified> {
    let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
    match forge.kind {
        Kind::Github | Kind::Gitea => {
            let hub =
                header("x-hub-signature-256").map(|value| value.strip_prefix(b"sha256=").unwrap_or(b""));
            let own = || header("x-forgejo-signature").or(header("x-gitea-signature"));
            let signature = if forge.kind == Kind::Gitea { hub.or_else(own) } else { hub };
            let mut expected = [0; 32];
            hex::decode_to_slice(signature.ok_or(Unverified::Unsigned)?, &mut expected)
                .map_err(|_| Unverified::Wrong)?;
            let mut mac = Hmac::<Sha256>::new_from_slice(forge.secret.expose().as_bytes())
                .expect("HMAC takes keys of any length; qed");
            mac.update(body);
            mac.verify_slice(&expected).map_err(|_| Unverified::Wrong)
        }
        Kind::Gitlab => {
            // GitLab sends the secret itself. Of hashes, the time of comparing tells nothing.
            let token = header("x-gitlab-token").ok_or(Unverified::Unsigned)?;
            let is_same = Sha256::digest(token) == Sha256::digest(forge.secret.expose().as_bytes());
            is_same.then_some(()).ok_or(Unverified::Wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::secret::Secret;

    fn forge(kind: Kind, secret: &str) -> Forge {
        let secret = Secret::new(secret);
        Forge { name: "f".into(), kind, secret, repositories: vec![], branch: None, purpose: None }
    }

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    /// The example that GitHub's page on validating deliveries gives for trying an implementation.
    #[test]
    fn the_example_of_githubs_documentation_is_verified() {
        let forge = forge(Kind::Github, "It's a Secret to Everybody");
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let sent = headers("x-hub-signature-256", good);
        assert_eq!(verify(&forge, &sent, b"Hello, World!"), Ok(()));
        assert_eq!(verify(&forge, &sent, b"Hello, World?"), Err(Unverified::Wrong));
    }

    #[test]
    fn what_is_not_signed_or_signed_otherwise_is_not_believed() {
        let github = forge(Kind::Github, "It's a Secret to Everybody");
        let digits = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(verify(&github, &HeaderMap::new(), b""), Err(Unverified::Unsigned));
        let own = headers("x-gitea-signature", digits);
        assert_eq!(verify(&github, &own, b"Hello, World!"), Err(Unverified::Unsigned));
        assert_eq!(verify(&forge(Kind::Gitea, "It's a Secret to Everybody"), &own, b"Hello, World!"), Ok(()));
        for bad in ["", "sha256=", "sha256=00", digits, "sha1=757107ea", &format!("sha256={digits}00")] {
            let sent = headers("x-hub-signature-256", bad);
            assert_eq!(verify(&github, &sent, b"Hello, World!"), Err(Unverified::Wrong), "{bad}");
        }
    }

    #[test]
    fn gitlabs_token_must_be_the_secret() {
        let gitlab = forge(Kind::Gitlab, "token");
        assert_eq!(verify(&gitlab, &headers("x-gitlab-token", "token"), b"x"), Ok(()));
        assert_eq!(verify(&gitlab, &headers("x-gitlab-token", "toke"), b"x"), Err(Unverified::Wrong));
        assert_eq!(verify(&gitlab, &HeaderMap::new(), b"x"), Err(Unverified::Unsigned));
    }
}
