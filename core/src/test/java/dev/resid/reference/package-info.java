/**
 * A GPT-2 in float64 as the papers write it, one token row at a time and with plain loops: what the
 * library's numbers are compared with where no other implementation's values are at hand. It shares
 * no code with the library and knows nothing of it. Start at {@link
 * dev.resid.reference.Float64Gpt2}.
 */
package dev.resid.reference;
