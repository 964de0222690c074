"""A real vLLM on the CPU with a model of random weights, made here: two layers, its own tokenizer.

Arguments: port, folder for the model. What follows is passed on to vLLM. The words it invents mean nothing; how it counts is the
real thing. vLLM says `Application startup complete.` once it answers.
"""
import os
import pathlib
import runpy
import sys

os.environ.update(
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_NO_USAGE_STATS="1",
    HF_HUB_OFFLINE="1",
    TRANSFORMERS_OFFLINE="1",
)

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|> {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|> {% endif %}"
)


def make(folder):
    import tokenizers
    import torch
    import transformers

    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    special = ["<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=special,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([__doc__, TEMPLATE, open(__file__).read()], trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE
    )
    fast.save_pretrained(folder)
    torch.manual_seed(7)
    config = transformers.LlamaConfig(
        vocab_size=len(fast), hidden_size=256, intermediate_size=256, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048,
        bos_token_id=fast.bos_token_id, eos_token_id=fast.eos_token_id,
    )
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    port, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (folder / "config.json").exists():
        make(folder)
    module = "vllm.entrypoints.openai.api_server"
    sys.argv = [module, "--model", str(folder), "--served-model-name", "tiny", "--host", "127.0.0.1",
                "--port", port, "--dtype", "bfloat16", "--max-model-len", "2048", "--max-num-seqs", "16",
                "--enforce-eager", *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
