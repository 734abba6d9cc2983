/**
 * Sparse autoencoders: read, run, judge, train, look at. Start at {@link dev.resid.sae.Sae} and
 * {@link dev.resid.sae.io.SaeCheckpoint}.
 */
module dev.resid.sae {
  requires transitive dev.resid.core;
  requires it.unimi.dsi.fastutil.core;
  requires tools.jackson.core;
  requires tools.jackson.databind;

  exports dev.resid.sae;
  exports dev.resid.sae.dictionary;
  exports dev.resid.sae.io;
  exports dev.resid.sae.metric;
  exports dev.resid.sae.train;

  // No classes there, only the SAEs that ship: a class loader reads them, which is outside the
  // module.
  opens dev.resid.sae.embedded;
}
