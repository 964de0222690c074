//! A block's extrinsics for the off-chain worker.
//!
//! The state keeps a batch's roots and totals, never its receipts. To compute refunds the worker
//! reads the batch where it stands for good: in the body of the block that it came in. The node
//! lends it the block database through this extension.
//!
//! A node does two things: it adds [`HostFunctions`] to its executor's, and it registers
//! [`BlockBodyExt`] for off-chain calls (`OffchainWorkerOptions::custom_extensions`).

// `runtime_interface` writes items without documentation, and on the runtime's side the call of the
// imported function, which is unsafe by its nature. `substrate_runtime` is set by the WASM builder.
#![allow(missing_docs, unsafe_code, unexpected_cfgs)]

use alloc::vec::Vec;

use sp_runtime_interface::{pass_by::AllocateAndReturnByCodec, runtime_interface};

#[cfg(not(substrate_runtime))]
use alloc::boxed::Box;
#[cfg(not(substrate_runtime))]
use sp_externalities::ExternalitiesExt;

#[cfg(not(substrate_runtime))]
pub use settlement_host::HostFunctions;

/// Where block bodies come from.
#[cfg(not(substrate_runtime))]
pub trait BlockBody: Send {
    /// The extrinsics of block `number` on the chain that the worker runs on, each as its SCALE
    /// encoding, its length in front; `None` if the node does not have that body.
    fn block_body(&self, number: u32) -> Option<Vec<Vec<u8>>>;
}

#[cfg(not(substrate_runtime))]
sp_externalities::decl_extension! {
    /// Lends block bodies to the off-chain worker.
    pub struct BlockBodyExt(Box<dyn BlockBody>);
}

/// What the node does for the off-chain worker.
#[runtime_interface]
pub trait SettlementHost {
    /// The extrinsics of block `number`; `None` if the node does not have that body or lends none.
    fn block_body(&mut self, number: u32) -> AllocateAndReturnByCodec<Option<Vec<Vec<u8>>>> {
        self.extension::<BlockBodyExt>().and_then(|bodies| bodies.block_body(number))
    }
}
