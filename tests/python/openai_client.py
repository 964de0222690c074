"""The unmodified OpenAI client against a gateway.

Reads STIPEND_GATEWAY_URL, STIPEND_API_KEY and STIPEND_MODEL. Prints one JSON line with the usage of
every call that was charged, so that the caller can price it and look into the wallet.
"""
import json
import os

import openai

client = openai.OpenAI(
    base_url=os.environ["STIPEND_GATEWAY_URL"], api_key=os.environ["STIPEND_API_KEY"], max_retries=0
)
model = os.environ["STIPEND_MODEL"]
question = [{"role": "user", "content": "Name three uses of a ledger."}]
usages = []

assert model in [entry.id for entry in client.models.list()], "the model is not listed"

answer = client.chat.completions.create(model=model, messages=question, max_tokens=12, temperature=0)
assert answer.choices[0].message.content, "the completion is empty"
usages.append(answer.usage)


def stream(**options):
    """A streamed completion: its text and the usages that its chunks carry."""
    chunks = list(
        client.chat.completions.create(
            model=model, messages=question, max_tokens=12, temperature=0, stream=True, **options
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text, "the stream is empty"
    return [c.usage for c in chunks if c.usage], [c for c in chunks if not c.choices]


asked, empty = stream(stream_options={"include_usage": True})
assert len(asked) == 1, f"one usage was asked for, {len(asked)} came"
usages.append(asked[0])

unasked, empty = stream()
assert not unasked and not empty, "a usage chunk came that was not asked for"
# The same question was charged the same.
usages.append(asked[0])

for key, wanted in [("sk-stipend-" + "0" * 64, openai.AuthenticationError)]:
    try:
        client.with_options(api_key=key).chat.completions.create(model=model, messages=question)
        raise SystemExit("an unknown key was accepted")
    except wanted as error:
        assert error.status_code == 401

try:
    client.chat.completions.create(model="no-such-model", messages=question)
    raise SystemExit("an unknown model was accepted")
except openai.NotFoundError as error:
    assert error.status_code == 404



def counts(usage):
    """What a usage is charged for."""
    details = usage.prompt_tokens_details
    cached = (details.cached_tokens or 0) if details else 0
    return {"input": usage.prompt_tokens - cached, "cached_input": cached, "output": usage.completion_tokens}


print(json.dumps([counts(usage) for usage in usages]))
