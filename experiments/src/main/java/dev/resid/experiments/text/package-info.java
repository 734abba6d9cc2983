/**
 * Text for experiments: documents from a file or from the passages that ship with the library, and
 * their packing into rows of tokens. Start at {@link dev.resid.experiments.text.Documents}. May
 * depend on {@code core} only.
 */
package dev.resid.experiments.text;
