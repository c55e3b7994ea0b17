"""Tiny networks of real kinds with real files, made and saved by the tests: CLIP, SigLIP, DINOv2."""

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

WORDS = "a the dog cat ball beach red blue small large runs on in at of two people child tree sea snow street"
TEXT = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 3, "intermediate_size": 32}
VISION = {**TEXT, "image_size": 32, "patch_size": 8}


def save_clip(folder: str | Path, longest: int = 12, seed: int = 0) -> Path:
    """A CLIP whose embeddings have 12 numbers, with CLIP's own tokenizer; it reads ``longest`` tokens."""
    folder = Path(folder)
    tokenizer = _clip_tokenizer(longest)
    torch.manual_seed(seed)
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    config = transformers.CLIPConfig(
        text_config={**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": longest, **special},
        vision_config=VISION,
        projection_dim=12,
    )
    _spread(transformers.CLIPModel(config)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_siglip(folder: str | Path, longest: int = 10) -> Path:
    """A SigLIP with a head that attends; its tokenizer, of another kind than Google's, pads to ``longest``."""
    folder = Path(folder)
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<pad>", "</s>", "<unk>"]
    made.train_from_iterator([WORDS], trainers.WordLevelTrainer(special_tokens=special, show_progress=False))
    made.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=longest,
        model_input_names=["input_ids"],
    )
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        text_config={**TEXT, "vocab_size": len(tokenizer), "max_position_embeddings": longest, "projection_size": 16},
        vision_config=VISION,
    )
    _spread(transformers.SiglipModel(config)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def save_dinov2(folder: str | Path) -> Path:
    """A DINOv2; pictures are resized to 40 pixels and cropped to 32."""
    folder = Path(folder)
    sizes = {key: value for key, value in VISION.items() if key != "intermediate_size"}
    torch.manual_seed(0)
    _spread(transformers.Dinov2Model(transformers.Dinov2Config(**sizes))).save_pretrained(folder)
    transformers.BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}, image_mean=[0.4, 0.5, 0.6]
    ).save_pretrained(folder)
    return folder


def _spread(network: torch.nn.Module) -> torch.nn.Module:
    """Move every parameter, those that start at 0 or 1 too: nothing that is left out could go unseen."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def _clip_tokenizer(longest: int) -> transformers.CLIPTokenizer:
    """CLIP's byte-pair encoding, its vocabulary learned from a few words: all bytes, and some pairs of them."""
    learned = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learned.normalizer = normalizers.Lowercase()
    learned.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(False)])
    bytes_ = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=bytes_, end_of_word_suffix="</w>", show_progress=False
    )
    learned.train_from_iterator([WORDS] * 4, trainer)
    tokens = learned.get_vocab()
    for byte in bytes_:
        tokens.setdefault(f"{byte}</w>", len(tokens))
    for special in ("<|startoftext|>", "<|endoftext|>"):
        tokens[special] = len(tokens)
    merges = [tuple(pair) for pair in json.loads(learned.to_str())["model"]["merges"]]
    return transformers.CLIPTokenizer(vocab=tokens, merges=merges, model_max_length=longest)
