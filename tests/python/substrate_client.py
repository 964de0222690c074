"""The unmodified substrate-interface client against a node.

Reads STIPEND_RPC_URL and STIPEND_WALLET. Prints one JSON line with what it found.
"""
import json
import os

from substrateinterface import SubstrateInterface

chain = SubstrateInterface(url=os.environ["STIPEND_RPC_URL"])
pallets = [pallet.name for pallet in chain.get_metadata().pallets]
assert {"Roles", "Entitlements", "Pricing", "Receipts", "Settlement"} <= set(pallets), pallets

wallets = [
    (key[0].value if isinstance(key, tuple) else key.value, value.value)
    for key, value in chain.query_map("Entitlements", "Wallets", [os.environ["STIPEND_WALLET"]])
]
assert wallets, "the wallet was not found in storage"

events = []
number = chain.get_block_number(chain.get_chain_finalised_head())
while number > 0 and not any(event.startswith("Entitlements.") for event in events):
    block = chain.get_block_hash(number)
    events += [f"{e.value['module_id']}.{e.value['event_id']}" for e in chain.get_events(block)]
    number -= 1
assert any(event.startswith("Entitlements.") for event in events), "no event of the ledger was found"
assert chain.get_block(block_hash=block)["extrinsics"], "the block's extrinsics were not read"

print(json.dumps({"pallets": pallets, "classes": len(wallets), "events": sorted(set(events))}))
