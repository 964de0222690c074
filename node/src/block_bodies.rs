//! Hands block bodies to the settlement's off-chain worker.
//!
//! The worker compares a batch receipt by receipt where a provider's root differs, and the state
//! keeps no receipts: they are in the block that the batch came in.

use std::sync::Arc;

use codec::Encode;
use pallet_settlement::block_body::{BlockBody, BlockBodyExt};
use sc_client_api::BlockBackend;
use sp_blockchain::HeaderBackend;
use sp_externalities::Extension;
use sp_runtime::traits::{Block as BlockT, NumberFor};

/// Reads bodies of the best chain from the database.
struct CanonicalBodies<Block, Client> {
    client: Arc<Client>,
    block: std::marker::PhantomData<fn() -> Block>,
}

impl<Block, Client> BlockBody for CanonicalBodies<Block, Client>
where
    Block: BlockT,
    Client: HeaderBackend<Block> + BlockBackend<Block> + Send + Sync,
    NumberFor<Block>: From<u32>,
{
    fn block_body(&self, number: u32) -> Option<Vec<Vec<u8>>> {
        let hash = self.client.hash(number.into()).ok()??;
        let body = self.client.block_body(hash).ok()??;
        Some(body.iter().map(Encode::encode).collect())
    }
}

/// What the off-chain worker of one block is given besides the SDK's own extensions.
pub fn extensions<Block, Client>(client: &Arc<Client>) -> Vec<Box<dyn Extension>>
where
    Block: BlockT,
    Client: HeaderBackend<Block> + BlockBackend<Block> + Send + Sync + 'static,
    NumberFor<Block>: From<u32>,
{
    let bodies = CanonicalBodies::<Block, _> { client: client.clone(), block: std::marker::PhantomData };
    vec![Box::new(BlockBodyExt(Box::new(bodies)))]
}
