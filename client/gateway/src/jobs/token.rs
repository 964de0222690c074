//! What proves that somebody is the runner of a job. It is made of the gateway's secret, so no file holds it.

use blake2::{
    digest::{consts::U32, Mac},
    Blake2bMac,
};

use super::record::JobId;
use crate::state::DigestSecret;

/// Separates these from whatever else is keyed with the secret.
const LABEL: &[u8] = b"stipend-gateway: the report of a job";

/// The token of a job's runner: 64 hex digits.
pub(crate) fn of(secret: &DigestSecret, id: &JobId) -> String {
    hex::encode(keyed(secret, id).finalize().into_bytes())
}

/// Whether a token is the job's. Takes as long for a wrong one as for a right one.
pub(crate) fn is_right(secret: &DigestSecret, id: &JobId, token: &str) -> bool {
    let mut bytes = [0; 32];
    hex::decode_to_slice(token, &mut bytes).is_ok() && keyed(secret, id).verify(&bytes.into()).is_ok()
}

fn keyed(secret: &DigestSecret, id: &JobId) -> Blake2bMac<U32> {
    let mut mac = Blake2bMac::<U32>::new_from_slice(&*secret.0).expect("32 bytes are a key of BLAKE2b; qed");
    mac.update(LABEL);
    mac.update(id.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn a_token_is_for_one_job_of_one_gateway() {
        let secret = |byte| DigestSecret(Zeroizing::new([byte; 32]));
        let (id, other) = (JobId::new(), JobId::new());
        let token = of(&secret(1), &id);
        assert!(is_right(&secret(1), &id, &token));
        assert!(!is_right(&secret(1), &other, &token) && !is_right(&secret(2), &id, &token));
        assert!(!is_right(&secret(1), &id, "") && !is_right(&secret(1), &id, &token[1..]));
    }
}
