//! How classes are called.

use anyhow::Result;
use stipend_sdk::{
    primitives::{view::Class, ClassId},
    Snapshot,
};

use crate::parse;

/// The registered classes.
pub(super) struct Names(Vec<(ClassId, Class)>);

impl Names {
    /// As of a block.
    pub(super) async fn read(ledger: &Snapshot) -> Result<Self> {
        Ok(Names(ledger.classes().await?))
    }

    /// The name of a class; its number where none is registered under it.
    pub(super) fn of(&self, class: ClassId) -> String {
        let found = self.0.iter().find(|(id, _)| *id == class);
        found.map_or_else(|| format!("class {}", class.0), |(_, class)| parse::text(&class.name))
    }

    /// For tests: Innovation and Render.
    #[cfg(test)]
    pub(super) fn of_genesis() -> Self {
        let class =
            |name| Class { name: parse::name(name).expect("it is short"), unattested: Default::default() };
        Names(vec![(ClassId::INNOVATION, class("Innovation")), (ClassId::RENDER, class("Render"))])
    }
}
