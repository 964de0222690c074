//! Who and what there is in the made-up company: accounts, classes, models and their prices.

use sp_core::H256;
use stipend_primitives::{
    cost::{PriceBook, PriceEntries, PriceEntry},
    view::Class,
    AccountId, BlockNumber, ClassId, ModelId, Name,
};
use stipend_wallet::chain::BlockRef;

pub(super) const CLASSES: [&str; 4] = ["Innovation", "Priority", "Render", "Reasoning"];

pub(super) fn named(what: &str, number: u32) -> AccountId {
    AccountId::new(sp_io::hashing::blake2_256(format!("{what} {number}").as_bytes()))
}

pub(super) fn name(text: &str) -> Name {
    Name::truncate_from(text.as_bytes().to_vec())
}

pub(super) fn gateway(number: u32) -> AccountId {
    named("gateway", number)
}

pub(super) fn at(number: BlockNumber) -> BlockRef {
    BlockRef { number, hash: H256(sp_io::hashing::blake2_256(&number.to_le_bytes())) }
}

pub(super) fn classes() -> Vec<(ClassId, Class)> {
    let class = |(text, id)| (ClassId(id), Class { name: name(text), unattested: Default::default() });
    CLASSES.into_iter().zip(0..).map(class).collect()
}

pub(super) fn book() -> PriceBook {
    let entry = |model, text, class, c_input, weight| PriceEntry {
        model: ModelId(model),
        name: name(text),
        class,
        premium: false,
        c_input,
        c_cached: c_input / 10,
        c_output: c_input * 4,
        c_model: 50,
        weight,
        reference_input: 2_500_000,
        reference_output: 10_000_000,
    };
    PriceBook {
        version: 1,
        effective_at: 0,
        chargeable_until: None,
        entries: PriceEntries::truncate_from(vec![
            entry(1, "general", ClassId::INNOVATION, 250, 1),
            entry(2, "reasoning", ClassId::REASONING, 1_000, 4),
            entry(3, "render", ClassId::RENDER, 400, 2),
        ]),
    }
}
