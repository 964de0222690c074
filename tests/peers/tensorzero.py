"""Starts the gateway that is inside TensorZero's Python package: the same Rust code as its container, behind HTTP."""

import sys
import threading

import tensorzero

gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
print("listening on", gateway.base_url, flush=True)
threading.Event().wait()
