/**
 * Files of SAEs: every published kind is read, SAELens' newest is written. Start at {@link
 * dev.resid.sae.io.SaeCheckpoint}; {@link dev.resid.sae.io.SaeCatalogue} lists what is published
 * for GPT-2, {@link dev.resid.sae.io.EmbeddedSaes} what ships with the library. May depend on
 * {@code sae} and on core's tensors, files, hub cache, hook points and weights states.
 */
package dev.resid.sae.io;
