/**
 * Text to GPT-2 token ids and back. Start at {@link dev.resid.tokenizer.ByteLevelBpe}, the
 * tokenizer; {@link dev.resid.tokenizer.TokenBatch} are the ragged rows of ids that the model
 * takes. Depends on the JDK, fastutil and the JSON parser only, never on other packages of this
 * project.
 */
package dev.resid.tokenizer;
