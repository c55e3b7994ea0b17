"""Frozen features: extractors of images and words, and the write-once store that keeps what they give."""
