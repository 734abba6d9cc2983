/**
 * Text to GPT-2 token ids and back. Start at {@link dev.resid.tokenizer.ByteLevelBpe}, the
 * tokenizer; {@link dev.resid.tokenizer.BpeTrainer} learns one from text; {@link
 * dev.resid.tokenizer.TokenBatch} are the ragged rows of ids that the model takes. May depend on
 * fastutil, the JSON parser and {@code io}, whose atomic file writing it uses.
 */
package dev.resid.tokenizer;
