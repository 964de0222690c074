//! A receipt as the durable log keeps it.

use stipend_primitives::{
    batch::{Line, Record},
    cost::Usage,
    AccountId, BookVersion, ClassId, Credits, Digest, ModelId,
};

/// Bytes of a receipt in the log.
pub(crate) const RECEIPT_LEN: usize = 121;

/// Names this layout; a log of another one is refused.
const LAYOUT: u8 = 1;

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

    pub(crate) fn to_bytes(&self) -> [u8; RECEIPT_LEN] {
        let mut bytes = [0; RECEIPT_LEN];
        let mut writer = Writer(&mut bytes);
        writer.put(&[LAYOUT]);
        writer.put(self.wallet.as_ref());
        writer.put(self.provider.as_ref());
        writer.put(&self.book.to_le_bytes());
        writer.put(&self.model.0.to_le_bytes());
        writer.put(&self.usage.input.to_le_bytes());
        writer.put(&self.usage.cached_input.to_le_bytes());
        writer.put(&self.usage.output.to_le_bytes());
        writer.put(&self.priority_fee.to_le_bytes());
        writer.put(&self.digest);
        writer.put(&self.class.0.to_le_bytes());
        writer.put(&self.cost.to_le_bytes());
        bytes
    }

    /// Reads a receipt; `None` if the bytes are none of this layout.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.take::<1>()? != [LAYOUT] {
            return None;
        }
        let receipt = Receipt {
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
        };
        reader.0.is_empty().then_some(receipt)
    }
}

struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (head, tail) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        head.copy_from_slice(bytes);
        self.0 = tail;
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

    proptest! {
        #[test]
        fn a_receipt_is_read_as_it_was_written(
            wallet: [u8; 32], provider: [u8; 32], book: u32, model: u16,
            usage: (u32, u32, u32), fee: u32, digest: [u8; 16], class: u16, cost: u128,
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
            };
            let bytes = receipt.to_bytes();
            prop_assert_eq!(Receipt::from_bytes(&bytes), Some(receipt));
            prop_assert_eq!(Receipt::from_bytes(&bytes[1..]), None);
            prop_assert_eq!(Receipt::from_bytes(&bytes[..RECEIPT_LEN - 1]), None);
            let mut longer = bytes.to_vec();
            longer.push(0);
            prop_assert_eq!(Receipt::from_bytes(&longer), None);
        }
    }
}
