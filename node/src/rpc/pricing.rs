//! `pricing_*`: quotes and price books, by the newest block: what a request would be quoted now.

use jsonrpsee::core::{async_trait, RpcResult};
use sp_api::ProvideRuntimeApi;
use stipend_primitives::{
    cost::{PriceBook, Usage},
    view::Quote,
    BookVersion, ModelId,
};
use stipend_rpc::{
    error::{error, Code},
    PricingRpcServer,
};
use stipend_runtime_api::PricingApi;

use super::{internal, runtime, Answer, Chain};

/// Answers `pricing_*`.
pub struct Pricing {
    chain: Chain,
}

impl Pricing {
    /// Over a chain.
    pub(super) fn new(chain: Chain) -> Self {
        Pricing { chain }
    }
}

#[async_trait]
impl PricingRpcServer for Pricing {
    async fn quote(
        &self,
        model: String,
        input: u32,
        cached_input: u32,
        output: u32,
        priority_fee: Option<u32>,
    ) -> RpcResult<Quote> {
        let usage = Usage { input, cached_input, output };
        self.chain
            .compute(move |chain| {
                let (at, api) = (chain.best().hash, chain.client.runtime_api());
                let model = find(runtime(api.current_book(at))?.as_ref(), &model)?;
                runtime(api.quote(at, model, usage, priority_fee.unwrap_or(0)))?
                    .ok_or_else(|| internal("the book in force has the model but no price for it"))
            })
            .await
    }

    async fn book(&self, version: Option<BookVersion>) -> RpcResult<Option<PriceBook>> {
        self.chain
            .compute(move |chain| {
                let (at, api) = (chain.best().hash, chain.client.runtime_api());
                runtime(match version {
                    Some(version) => api.book(at, version),
                    None => api.current_book(at),
                })
            })
            .await
    }
}

/// The number of the model that the book in force knows by this name.
fn find(book: Option<&PriceBook>, name: &str) -> Answer<ModelId> {
    let Some(book) = book else {
        return Err(error(
            Code::NotFound,
            "No price book is in force, so nothing has a price yet. Have the council publish one.",
        ));
    };
    if let Some(entry) = book.entry_named(name) {
        return Ok(entry.model);
    }
    let names: Vec<_> = book.entries.iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
    Err(error(
        Code::NotFound,
        format!("Price book {} has no model `{name}`. Its models are: {}.", book.version, names.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_primitives::{cost::PriceEntry, ClassId};

    fn book() -> PriceBook {
        let entry = |model: u16, name: &str| PriceEntry {
            model: ModelId(model),
            name: name.as_bytes().to_vec().try_into().unwrap(),
            class: ClassId::INNOVATION,
            premium: false,
            c_input: 1,
            c_cached: 1,
            c_output: 2,
            c_model: 0,
            weight: 1,
            reference_input: 0,
            reference_output: 0,
        };
        PriceBook {
            version: 3,
            effective_at: 1,
            chargeable_until: None,
            entries: vec![entry(1, "tiny"), entry(4, "large")].try_into().unwrap(),
        }
    }

    #[test]
    fn a_model_is_found_by_its_name() {
        assert_eq!(find(Some(&book()), "large"), Ok(ModelId(4)));
    }

    #[test]
    fn an_unknown_model_is_answered_with_the_names_that_exist() {
        let refusal = find(Some(&book()), "larg").unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound as i32);
        assert!(refusal.message().contains("`larg`") && refusal.message().contains("tiny, large"));
    }

    #[test]
    fn without_a_book_the_answer_says_who_can_publish_one() {
        let refusal = find(None, "tiny").unwrap_err();
        assert_eq!(refusal.code(), Code::NotFound as i32);
        assert!(refusal.message().contains("council"));
    }
}
