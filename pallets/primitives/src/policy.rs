//! What wallets of people who are not employees may hold: contractors, creators, students.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32};

use crate::ids::{ClassId, Credits, Moment, Name};

/// A kind of wallet, by number.
pub type KindId = u16;

/// The kind of every wallet that nobody said another of: no policy restricts it.
pub const EMPLOYEE: KindId = 0;

/// Classes in one policy: all that a registry has.
pub const POLICY_CLASSES_MAX: u32 = 32;

/// A class that wallets of a kind may be granted.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Terms {
    /// The class.
    pub class: ClassId,
    /// Micro-credits of it that the wallet may hold after a grant: available and reserved, those that can be
    /// used only later among them.
    #[serde(with = "crate::view::decimal")]
    pub holding_max: Credits,
}

/// What binds the wallets of a kind. The default forbids everything.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Policy {
    /// The classes that may be granted, by number; no other may.
    pub classes: BoundedVec<Terms, ConstU32<POLICY_CLASSES_MAX>>,
    /// Milliseconds from a grant on within which it must end; `None`: it need not end.
    pub validity_ms_max: Option<Moment>,
    /// API keys that the owner may have at a time for another one to be registered: with 0 none ever is.
    pub keys_max: u32,
}

impl Policy {
    /// Whether it names each class once, by number, and lets grants last at all.
    pub fn is_sound(&self) -> bool {
        self.classes.windows(2).all(|pair| pair[0].class < pair[1].class) && self.validity_ms_max != Some(0)
    }

    /// What of a class may be held; `None`: it may not be granted.
    pub fn terms(&self, class: ClassId) -> Option<&Terms> {
        let at = self.classes.binary_search_by_key(&class, |terms| terms.class).ok()?;
        self.classes.get(at)
    }

    /// Whether what is granted `now` may end at `valid_until` (`None`: never).
    pub fn permits_end(&self, now: Moment, valid_until: Option<Moment>) -> bool {
        match (self.validity_ms_max, valid_until) {
            (None, _) => true,
            (Some(max), Some(end)) => end <= now.saturating_add(max),
            (Some(_), None) => false,
        }
    }
}

/// A kind of wallet as the runtime API shows it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct WalletKind {
    /// Its number.
    pub kind: KindId,
    /// Its name.
    #[serde(with = "crate::view::text")]
    pub name: Name,
    /// What binds it; `None`: nothing, as with an employee's.
    pub policy: Option<Policy>,
}

impl WalletKind {
    /// The kind of whoever is of no other.
    pub fn employee() -> Self {
        WalletKind { kind: EMPLOYEE, name: Name::truncate_from(b"employee".to_vec()), policy: None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(missing_docs, clippy::unwrap_used)]

    use super::*;

    fn policy(classes: &[u16], validity_ms_max: Option<Moment>) -> Policy {
        let terms = |class: &u16| Terms { class: ClassId(*class), holding_max: 10 * Credits::from(*class) };
        Policy {
            classes: classes.iter().map(terms).collect::<alloc::vec::Vec<_>>().try_into().unwrap(),
            validity_ms_max,
            keys_max: 1,
        }
    }

    #[test]
    fn a_class_has_its_own_terms_or_none() {
        let policy = policy(&[1, 3, 7], None);
        assert_eq!(policy.terms(ClassId(3)).unwrap().holding_max, 30);
        for class in [0, 2, 8] {
            assert_eq!(policy.terms(ClassId(class)), None);
        }
        assert_eq!(Policy::default().terms(ClassId(0)), None);
    }

    #[test]
    fn a_sound_policy_names_each_class_once_by_number() {
        assert!(policy(&[], None).is_sound() && policy(&[0, 1, 9], Some(1)).is_sound());
        for classes in [&[1, 0][..], &[1, 1], &[0, 2, 2]] {
            assert!(!policy(classes, None).is_sound(), "{classes:?}");
        }
        assert!(!policy(&[0], Some(0)).is_sound());
    }

    #[test]
    fn a_grant_ends_within_the_longest_validity_to_the_millisecond() {
        let bound = policy(&[], Some(100));
        assert!(bound.permits_end(1_000, Some(1_100)) && !bound.permits_end(1_000, Some(1_101)));
        assert!(!bound.permits_end(1_000, None));
        assert!(!policy(&[], Some(Moment::MAX)).permits_end(1_000, None));
        assert!(policy(&[], None).permits_end(1_000, None));
        assert!(policy(&[], None).permits_end(1_000, Some(Moment::MAX)));
    }
}
