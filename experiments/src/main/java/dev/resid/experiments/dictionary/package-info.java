/**
 * SAEs as dictionaries: what their most frequent features are worth, how norms explain raw errors,
 * and which directions two of them share. Start at {@link
 * dev.resid.experiments.dictionary.DictionaryStudy}. May depend on {@code direction}, {@code
 * report}, {@code result}, {@code study}, {@code sweep} and {@code text}.
 */
package dev.resid.experiments.dictionary;
