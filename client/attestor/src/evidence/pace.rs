//! How often strangers can make the source work.

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use tokio::time::Instant;

/// The time that is looked back.
const WINDOW: Duration = Duration::from_secs(60);

/// New nonces in that time. A hundred validators that agree on a block ask with one.
const NONCES_MAX: usize = 30;

/// New nonces of one address in that time: rounds of the chain have 10 blocks at least, which is six nonces a
/// minute, and forks can double them. One stranger cannot use up what is there for all.
const NONCES_PER_ADDRESS_MAX: usize = 12;

/// Who asked with a new nonce of late.
#[derive(Default)]
pub(super) struct Pace(VecDeque<(Instant, IpAddr)>);

impl Pace {
    /// Whether `peer` may ask with a new nonce; notes it if so.
    pub(super) fn admits(&mut self, peer: IpAddr, now: Instant) -> bool {
        let peer = network(peer);
        while self.0.front().is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.0.pop_front();
        }
        let of_peer = self.0.iter().filter(|(_, address)| *address == peer).count();
        if self.0.len() >= NONCES_MAX || of_peer >= NONCES_PER_ADDRESS_MAX {
            return false;
        }
        self.0.push_back((now, peer));
        true
    }
}

/// What counts as one address: of IPv6, the 64 bits that a customer is given at least [RFC 6177].
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn peer(number: usize) -> IpAddr {
        format!("10.0.0.{number}").parse().unwrap()
    }

    #[test]
    fn one_address_cannot_use_up_what_is_there_for_all() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let admitted = (0..100).filter(|_| pace.admits(peer(1), now)).count();
        assert_eq!(admitted, NONCES_PER_ADDRESS_MAX);
        assert!(pace.admits(peer(2), now));
    }

    #[test]
    fn all_together_are_bounded_and_the_bound_moves_on() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let admitted = (0..100).filter(|number| pace.admits(peer(*number), now)).count();
        assert_eq!(admitted, NONCES_MAX);
        assert!(!pace.admits(peer(200), now + WINDOW - Duration::from_millis(1)));
        assert!(pace.admits(peer(200), now + WINDOW));
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let same = ["2001:db8::1", "2001:db8::ffff:1"].map(|text| network(text.parse().unwrap()));
        assert_eq!(same[0], same[1]);
        assert_ne!(same[0], network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), peer(1));
    }
}
