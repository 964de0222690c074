//! A receipt as the durable log keeps it.

use stipend_primitives::{
    batch::{Line, Record},
    cost::Usage,
    AccountId, BookVersion, ClassId, Credits, Digest, KeyHash, ModelId, Moment,
};

/// Bytes of a receipt in the log.
const LEN_MAX: usize = 241;

/// The first layout: without [`Details`]. Logs of it are read and not written.
const LAYOUT_1: u8 = 1;

/// The second layout: without the key's hash. Logs of it are read and not written.
const LAYOUT_2: u8 = 2;

/// The layout that is written. A log of another one is refused.
const LAYOUT_3: u8 = 3;

/// One served request. Its sequence number is its position in the log.
///
/// The costs are kept with it, so that a restart needs no price book of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) wallet: AccountId,
    pub(crate) provider: AccountId,
    pub(crate) book: BookVersion,
    pub(crate) model: ModelId,
    pub(crate) usage: Usage,
    pub(crate) priority_fee: u32,
    pub(crate) digest: Digest,
    /// Class that pays the base cost.
    pub(crate) class: ClassId,
    /// Base cost in micro-credits.
    pub(crate) cost: Credits,
    /// `None` in logs of the first layout.
    pub(crate) details: Option<Details>,
}

/// What the caller can hold the receipt against; the chain has none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    /// When the receipt was made.
    pub(crate) at_ms: Moment,
    /// Micro-credits of the class that were held.
    pub(crate) held: Credits,
    /// SHA-256 of the request's body as it came.
    pub(crate) request_sha256: [u8; 32],
    /// SHA-256 of the answer's body as it was passed on.
    pub(crate) response_sha256: [u8; 32],
    /// Hash of the API key, whose caps count it; `None` in logs of the second layout.
    pub(crate) key: Option<KeyHash>,
}

impl Receipt {
    pub(crate) fn line(&self) -> Line {
        Line { provider: self.provider.clone(), book: self.book, model: self.model }
    }

    pub(crate) fn record(&self, wallet: u16, line: u16) -> Record {
        Record { wallet, line, usage: self.usage, priority_fee: self.priority_fee, digest: self.digest }
    }

    /// What is charged in which class: the base cost, and the fee in Priority.
    pub(crate) fn charges(&self) -> [(ClassId, Credits); 2] {
        [(self.class, self.cost), (ClassId::PRIORITY, Credits::from(self.priority_fee))]
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN_MAX);
        let mut put = |part: &[u8]| bytes.extend_from_slice(part);
        put(&[match &self.details {
            None => LAYOUT_1,
            Some(Details { key: None, .. }) => LAYOUT_2,
            Some(Details { key: Some(_), .. }) => LAYOUT_3,
        }]);
        put(self.wallet.as_ref());
        put(self.provider.as_ref());
        put(&self.book.to_le_bytes());
        put(&self.model.0.to_le_bytes());
        put(&self.usage.input.to_le_bytes());
        put(&self.usage.cached_input.to_le_bytes());
        put(&self.usage.output.to_le_bytes());
        put(&self.priority_fee.to_le_bytes());
        put(&self.digest);
        put(&self.class.0.to_le_bytes());
        put(&self.cost.to_le_bytes());
        if let Some(details) = &self.details {
            put(&details.at_ms.to_le_bytes());
            put(&details.held.to_le_bytes());
            put(&details.request_sha256);
            put(&details.response_sha256);
            if let Some(key) = &details.key {
                put(&key.0);
            }
        }
        bytes
    }

    /// Reads a receipt; `None` if the bytes are none of a layout that is known.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [layout] = reader.take()?;
        let mut receipt = Receipt {
            wallet: AccountId::new(reader.take()?),
            provider: AccountId::new(reader.take()?),
            book: BookVersion::from_le_bytes(reader.take()?),
            model: ModelId(u16::from_le_bytes(reader.take()?)),
            usage: Usage {
                input: u32::from_le_bytes(reader.take()?),
                cached_input: u32::from_le_bytes(reader.take()?),
                output: u32::from_le_bytes(reader.take()?),
            },
            priority_fee: u32::from_le_bytes(reader.take()?),
            digest: reader.take()?,
            class: ClassId(u16::from_le_bytes(reader.take()?)),
            cost: Credits::from_le_bytes(reader.take()?),
            details: None,
        };
        match layout {
            LAYOUT_1 => {}
            LAYOUT_2 | LAYOUT_3 => {
                receipt.details = Some(Details {
                    at_ms: Moment::from_le_bytes(reader.take()?),
                    held: Credits::from_le_bytes(reader.take()?),
                    request_sha256: reader.take()?,
                    response_sha256: reader.take()?,
                    key: if layout == LAYOUT_3 { Some(KeyHash::from(reader.take::<32>()?)) } else { None },
                });
            }
            _ => return None,
        }
        reader.0.is_empty().then_some(receipt)
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    /// As gateways of the first release wrote it.
    const OF_LAYOUT_1: &str = "01\
        0101010101010101010101010101010101010101010101010101010101010101\
        0202020202020202020202020202020202020202020202020202020202020202\
        03000000 0400 05000000 06000000 07000000 08000000\
        09090909090909090909090909090909 0a00 0b000000000000000000000000000000";

    #[test]
    fn a_receipt_of_the_first_layout_is_read_and_lacks_only_what_was_not_known_then() {
        let bytes = hex::decode(OF_LAYOUT_1.replace(' ', "")).unwrap();
        let receipt = Receipt {
            wallet: AccountId::new([1; 32]),
            provider: AccountId::new([2; 32]),
            book: 3,
            model: ModelId(4),
            usage: Usage { input: 5, cached_input: 6, output: 7 },
            priority_fee: 8,
            digest: [9; 16],
            class: ClassId(10),
            cost: 11,
            details: None,
        };
        assert_eq!((bytes.len(), Receipt::from_bytes(&bytes)), (121, Some(receipt.clone())));
        assert_eq!(receipt.to_bytes(), bytes);
    }

    proptest! {
        #[test]
        fn a_receipt_is_read_as_it_was_written(
            wallet: [u8; 32], provider: [u8; 32], book: u32, model: u16,
            usage: (u32, u32, u32), fee: u32, digest: [u8; 16], class: u16, cost: u128,
            details: Option<(u64, u128, [u8; 32], [u8; 32], Option<[u8; 32]>)>,
        ) {
            let receipt = Receipt {
                wallet: AccountId::new(wallet),
                provider: AccountId::new(provider),
                book,
                model: ModelId(model),
                usage: Usage { input: usage.0, cached_input: usage.1, output: usage.2 },
                priority_fee: fee,
                digest,
                class: ClassId(class),
                cost,
                details: details.map(|(at_ms, held, request_sha256, response_sha256, key)| {
                    Details { at_ms, held, request_sha256, response_sha256, key: key.map(KeyHash::from) }
                }),
            };
            let bytes = receipt.to_bytes();
            prop_assert!(bytes.len() <= LEN_MAX);
            prop_assert_eq!(Receipt::from_bytes(&bytes), Some(receipt));
            prop_assert_eq!(Receipt::from_bytes(&bytes[..bytes.len() - 1]), None);
            let mut longer = bytes.clone();
            longer.push(0);
            prop_assert_eq!(Receipt::from_bytes(&longer), None);
            for layout in [0, 4, 255] {
                longer[0] = layout;
                prop_assert_eq!(Receipt::from_bytes(&longer[..bytes.len()]), None);
            }
        }
    }
}
