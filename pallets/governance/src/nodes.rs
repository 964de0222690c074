//! The node list.

use alloc::vec::Vec;

use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Get};
use sp_runtime::TryRuntimeError;
use stipend_primitives::{Name, NodeKey};

use crate::{Config, Error, Event, Nodes, Pallet};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_add_node(node: NodeKey, name: Name) -> DispatchResult {
        ensure!(!Nodes::<T>::contains_key(node), Error::<T>::AlreadyListed);
        ensure!(Nodes::<T>::count() < T::NodesMax::get(), Error::<T>::TooManyNodes);
        Nodes::<T>::insert(node, &name);
        Self::deposit_event(Event::NodeAdded { node, name });
        Ok(())
    }

    pub(crate) fn do_remove_node(node: NodeKey) -> DispatchResult {
        ensure!(Nodes::<T>::contains_key(node), Error::<T>::NotListed);
        ensure!(Nodes::<T>::count() > 1, Error::<T>::LastNode);
        Nodes::<T>::remove(node);
        Self::deposit_event(Event::NodeRemoved { node });
        Ok(())
    }

    /// The nodes of the network by key, sorted, with what people call them.
    pub fn nodes() -> Vec<(NodeKey, Vec<u8>)> {
        let mut nodes: Vec<_> = Nodes::<T>::iter().map(|(node, name)| (node, name.into_inner())).collect();
        nodes.sort();
        nodes
    }

    /// Checks the invariants of README.md.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let listed = Nodes::<T>::iter_keys().count();
        ensure!(listed <= T::NodesMax::get() as usize, "governance: too many nodes are listed");
        ensure!(listed == Nodes::<T>::count() as usize, "governance: the nodes are miscounted");
        Ok(())
    }
}
