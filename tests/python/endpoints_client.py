"""The unmodified OpenAI and Anthropic clients at every endpoint of a gateway.

Reads STIPEND_GATEWAY_URL, STIPEND_API_KEY and STIPEND_MODEL. STIPEND_ENGINE is `sim`, which serves all
endpoints, or `text`, which serves those for text and counts by itself. Prints one JSON line with the usage of
every call that was charged, so that the caller can price it and look into the wallet.
"""
import asyncio
import json
import os

import anthropic
import openai

url, key = os.environ["STIPEND_GATEWAY_URL"], os.environ["STIPEND_API_KEY"]
model = os.environ["STIPEND_MODEL"]
serves_all = os.environ["STIPEND_ENGINE"] == "sim"
at_once = 200

client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
# Anthropic's client puts `/v1` before its paths by itself, and the key into `x-api-key`.
claude = anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key=key, max_retries=0)
question = [{"role": "user", "content": "Name three uses of a ledger."}]
usages = []


def used(prompt, cached, output):
    usages.append({"input": prompt - cached, "cached_input": cached, "output": output})


def used_by_response(usage):
    used(usage.input_tokens, usage.input_tokens_details.cached_tokens or 0, usage.output_tokens)


def used_by_message(usage):
    cached = usage.cache_read_input_tokens or 0
    used(usage.input_tokens + (usage.cache_creation_input_tokens or 0) + cached, cached, usage.output_tokens)


def used_by_chat(usage):
    details = usage.prompt_tokens_details
    used(usage.prompt_tokens, (details.cached_tokens or 0) if details else 0, usage.completion_tokens)


# Responses, whole and streamed.
answer = client.responses.create(model=model, input="Name three uses of a ledger.", max_output_tokens=16)
assert answer.output_text, "the response is empty"
used_by_response(answer.usage)
events = list(client.responses.create(model=model, input=question, max_output_tokens=16, stream=True))
assert any(event.type == "response.output_text.delta" for event in events), "nothing was streamed"
assert events[-1].type in ("response.completed", "response.incomplete"), events[-1].type
used_by_response(events[-1].response.usage)

# Messages, whole and streamed.
message = claude.messages.create(model=model, max_tokens=16, system="Be brief.", messages=question)
assert message.content[0].text, "the message is empty"
used_by_message(message.usage)
with claude.messages.stream(model=model, max_tokens=16, messages=question) as stream:
    assert "".join(stream.text_stream), "nothing was streamed"
    used_by_message(stream.get_final_message().usage)

# Errors are raised as each client's own.
for refused, raised in [
    (lambda: claude.messages.create(model="no-such-model", max_tokens=5, messages=question), anthropic.NotFoundError),
    (lambda: claude.with_options(api_key="x").messages.create(model=model, max_tokens=5, messages=question),
     anthropic.AuthenticationError),
    (lambda: client.responses.create(model=model, input="x", background=True), openai.BadRequestError),
]:
    try:
        refused()
    except raised:
        continue
    raise SystemExit(f"{raised.__name__} was not raised")

if serves_all:
    function = {"name": "note", "description": "Takes a note.", "parameters": {"type": "object"}}
    called = client.chat.completions.create(
        model=model, messages=question, max_tokens=8, tools=[{"type": "function", "function": function}]
    )
    call = called.choices[0].message.tool_calls[0].function
    assert call.name == "note" and json.loads(call.arguments), call
    used_by_chat(called.usage)

    chunks = list(
        client.chat.completions.create(
            model=model, messages=question, max_tokens=8, tools=[{"type": "function", "function": function}],
            stream=True, stream_options={"include_usage": True},
        )
    )
    parts = [c.choices[0].delta.tool_calls[0] for c in chunks if c.choices and c.choices[0].delta.tool_calls]
    assert parts[0].function.name == "note"
    assert json.loads("".join(part.function.arguments or "" for part in parts))
    used_by_chat(chunks[-1].usage)

    answer = client.responses.create(
        model=model, input=question, max_output_tokens=8, tools=[{"type": "function", **function}]
    )
    assert answer.output[0].type == "function_call" and json.loads(answer.output[0].arguments)
    used_by_response(answer.usage)

    tool = {"name": "note", "input_schema": {"type": "object"}}
    with claude.messages.stream(model=model, max_tokens=8, messages=question, tools=[tool]) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use" and message.content[0].input["words"], message
    used_by_message(message.usage)

    found = client.embeddings.create(model=model, input=["a ledger", "another ledger"])
    assert len(found.data) == 2 and isinstance(found.data[0].embedding[0], float)
    used(found.usage.prompt_tokens, 0, 0)

    # The engine counts nothing for images: 16 x 16 patches each.
    images = client.images.generate(model=model, prompt="a ledger", n=2, size="512x512")
    assert [image.b64_json[:11] for image in images.data] == ["iVBORw0KGgo"] * 2
    used(0, 0, 2 * 256)


async def all_at_once():
    """Many requests at the same time, each of its own client's tasks."""
    busy = openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0)

    async def one(number):
        content = f"Entry {number} of the ledger."
        answer = await busy.chat.completions.create(
            model=model, messages=[{"role": "user", "content": content}], max_tokens=1 + number % 5
        )
        return answer.usage

    async with busy:
        for usage in await asyncio.gather(*(one(number) for number in range(at_once if serves_all else 4))):
            used_by_chat(usage)


asyncio.run(all_at_once())
print(json.dumps(usages))
