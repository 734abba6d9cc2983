/**
 * GPT-2 for looking inside: the model with its hooks, kernels, tokenizer, files, downloads,
 * training and analysis. Start at {@link dev.resid.model.Gpt2}.
 *
 * <p>The Vector API is optional: without {@code --add-modules jdk.incubator.vector} the backend
 * {@code scalar} runs, and {@link dev.resid.backend.Backends#available} says what is missing.
 */
module dev.resid.core {
  requires static jdk.incubator.vector;
  requires it.unimi.dsi.fastutil.core;
  requires tools.jackson.core;
  requires tools.jackson.databind;

  uses dev.resid.backend.BackendProvider;

  provides dev.resid.backend.BackendProvider with
      dev.resid.backend.scalar.ScalarBackendProvider,
      dev.resid.backend.vector.VectorBackendProvider;

  exports dev.resid.analysis;
  exports dev.resid.backend;
  exports dev.resid.backend.scalar;
  exports dev.resid.backend.vector;
  exports dev.resid.hook;
  exports dev.resid.hub;
  exports dev.resid.io;
  exports dev.resid.metric;
  exports dev.resid.model;
  exports dev.resid.progress;
  exports dev.resid.random;
  exports dev.resid.tensor;
  exports dev.resid.tokenizer;
  exports dev.resid.train;
}
