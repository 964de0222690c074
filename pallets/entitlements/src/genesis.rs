//! The first classes, programs and baskets of a chain, as a chain specification writes them.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use stipend_primitives::{
    settlement::UnattestedPolicy, view::decimal, AccountId, BasketId, ClassId, Credits, Moment, Name,
    ProgramId,
};

use crate::{types::BasketLines, Config, Pallet, Programs};

/// A class to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisClass {
    /// Its number.
    pub id: ClassId,
    /// Its name.
    pub name: String,
    /// What becomes of charges that a provider does not attest: `refund` or `accept`.
    #[serde(default)]
    pub unattested: UnattestedPolicy,
}

/// A program to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisProgram {
    /// Its name.
    pub name: String,
    /// The class of everything minted from it. A program below another must name that one's class.
    pub class: ClassId,
    /// Who mints from it.
    pub owner: AccountId,
    /// Micro-credits, as a decimal string.
    #[serde(with = "decimal")]
    pub budget: Credits,
    /// The program that the budget is taken from: a number further up in the list.
    #[serde(default)]
    pub parent: Option<ProgramId>,
}

/// A basket to set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisBasket {
    /// Its number.
    pub id: BasketId,
    /// Its name.
    pub name: String,
    /// Who may change it. Must own the programs of all lines, or programs above them.
    pub issuer: AccountId,
    /// What it grants.
    pub lines: Vec<GenesisLine>,
}

/// A line of a basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisLine {
    /// The budget that pays.
    pub program: ProgramId,
    /// Micro-credits, as a decimal string.
    #[serde(with = "decimal")]
    pub amount: Credits,
    /// Milliseconds from the mint on; absent: for ever.
    #[serde(default)]
    pub validity_ms: Option<Moment>,
}

impl<T: Config> Pallet<T> {
    /// Writes the first state. A specification that contradicts itself must not become a chain, so
    /// that panics and names the entry.
    pub(crate) fn build_genesis(
        classes: &[GenesisClass],
        programs: &[GenesisProgram],
        baskets: &[GenesisBasket],
    ) {
        for class in classes {
            let registered = Self::do_register_class(class.id, name(&class.name), class.unattested);
            assert!(registered.is_ok(), "entitlements.classes: {class:?} is refused: {registered:?}");
        }
        for program in programs {
            let created = Self::create_genesis_program(program);
            assert!(created.is_ok(), "entitlements.programs: {program:?} is refused: {created:?}");
        }
        for basket in baskets {
            let lines = basket.lines.iter().map(|line| (line.program, line.amount, line.validity_ms));
            let lines = BasketLines::try_from(lines.collect::<Vec<_>>());
            let lines =
                lines.unwrap_or_else(|_| panic!("entitlements.baskets: {basket:?} has too many lines"));
            let set = Self::do_set_basket(basket.issuer.clone(), basket.id, name(&basket.name), lines);
            assert!(set.is_ok(), "entitlements.baskets: {basket:?} is refused: {set:?}");
        }
    }

    fn create_genesis_program(program: &GenesisProgram) -> sp_runtime::DispatchResult {
        let (name, owner) = (name(&program.name), program.owner.clone());
        let Some(parent) = program.parent else {
            return Self::do_create_program(name, program.class, owner, program.budget).map(|_| ());
        };
        let above = Programs::<T>::get(parent).ok_or(crate::Error::<T>::ProgramUnknown)?;
        frame_support::ensure!(above.class == program.class, crate::Error::<T>::ClassUnknown);
        Self::do_delegate_program(&above.owner, parent, name, owner, program.budget)
    }
}

fn name(text: &str) -> Name {
    Name::try_from(text.as_bytes().to_vec())
        .unwrap_or_else(|_| panic!("entitlements: the name {text:?} is longer than a name can be"))
}
