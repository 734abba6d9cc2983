package dev.resid.tensor;

import java.util.Optional;
import java.util.OptionalLong;

// Long because it is the one list of all kernels: three lines in four are their formulas and
// shapes.

/**
 * The kernels a model runs on: the only service-provider interface of the library.
 *
 * <p>Notation: {@code B} batch, {@code T} positions, {@code S} key positions, {@code H} heads,
 * {@code D} d_head, {@code R} rows (all leading axes of a tensor flattened), {@code C} the last
 * axis, {@code V} vocabulary. Output parameters come last and are overwritten unless the method
 * says "adds to". Outputs must not overlap inputs unless the method allows it. Operands on the host
 * are accepted by every backend; operands of another device are an error.
 *
 * <p>Promises every CPU backend keeps, and the contract test checks: every output element depends
 * only on the values its formula names, never on how many rows share the call, on the number of
 * threads or on what else is computed; repeated calls give the same bits; where a method is defined
 * as the composition of others, its result has the same bits as that composition.
 */
public interface Backend extends AutoCloseable {
  /** Returns the name it is chosen by, for example {@code vector}. */
  String name();

  /** Returns one line for records and {@code doctor}: vector width and threads, or the device. */
  String description();

  /** Returns a tensor of zeros that lives as long as it is referenced. */
  Tensor allocate(Shape shape);

  /** Returns a scope for temporaries. */
  Scope scope();

  /** Copies {@code from} to {@code to}; only the numbers of elements have to agree. */
  void copy(Tensor from, Tensor to);

  /**
   * Sets every element to 0, also one that is not finite.
   *
   * @param target tensor of this backend
   */
  default void clear(Tensor target) {
    copy(Tensor.on(target.shape(), new ZeroStorage(target.elements())), target);
  }

  /**
   * Copies {@code part} into {@code whole} along one axis: whole[.., first + i, ..] = part[.., i,
   * ..].
   *
   * @param part the shape of {@code whole} with another size of {@code axis}
   * @param axis which axis
   * @param first index in {@code whole} of the first slice
   * @param whole written in that range only
   */
  default void insert(Tensor part, Axis axis, int first, Tensor whole) {
    HostCopies.insert(part, axis, first, whole);
  }

  /**
   * Copies a range of {@code whole} along one axis: part[.., i, ..] = whole[.., first + i, ..].
   *
   * @param whole read in that range only
   * @param axis which axis
   * @param first index in {@code whole} of the first slice
   * @param part the shape of {@code whole} with another size of {@code axis}
   */
  default void extract(Tensor whole, Axis axis, int first, Tensor part) {
    HostCopies.extract(whole, axis, first, part);
  }

  /**
   * Returns the bytes that are free in a memory of this backend's own, such as a GPU's; empty where
   * tensors are in the memory of this process.
   */
  default OptionalLong freeBytes() {
    return OptionalLong.empty();
  }

  /**
   * Returns which of several devices computes, and its driver, for records; empty where it is the
   * processor. Backends on different devices of one kind have one {@link #description}.
   */
  default Optional<String> device() {
    return Optional.empty();
  }

  /**
   * Returns the format that factors of products are rounded to, such as {@code tf32}; empty where
   * they are float32 as they are.
   */
  default Optional<String> factorFormat() {
    return Optional.empty();
  }

  // ---- weights

  /**
   * Returns the matrix w in this backend's layout.
   *
   * @param w [in, out]; may be a mapped file and is read once, in order
   */
  Matrix pack(Tensor w);

  /**
   * Returns the transpose of w in this backend's layout, a matrix [in, out].
   *
   * @param w [out, in]; may be a mapped file and is read once, in order
   */
  Matrix packTransposed(Tensor w);

  /**
   * Overwrites a matrix made by {@link #pack} with new values of the same shape.
   *
   * @param w [in, out]
   */
  void repack(Tensor w, Matrix target);

  /**
   * Overwrites a matrix made by {@link #packTransposed} with new values of the same shape.
   *
   * @param w [out, in]
   */
  void repackTransposed(Tensor w, Matrix target);

  // ---- embedding

  /**
   * out[r, :] = table[ids[r], :].
   *
   * @param table [n, C]
   * @param ids R indices below n
   * @param out [R, C]
   */
  void gatherRows(Tensor table, int[] ids, Tensor out);

  /**
   * out[r, :] = w[:, ids[r]]: the embedding of a tied model, whose W_E is the transpose of W_U.
   *
   * @param w [C, n]
   * @param ids R indices below n
   * @param out [R, C]
   */
  void gatherColumns(Matrix w, int[] ids, Tensor out);

  /**
   * Adds to table[ids[r], :] the row rows[r, :], in ascending r.
   *
   * @param rows [R, C]
   * @param ids R indices
   * @param table [n, C]
   */
  void scatterAddRows(Tensor rows, int[] ids, Tensor table);

  // ---- layer norm

  /**
   * scale[r] = √(Σ_c (x[r,c] − mean_r)² / C + epsilon), mean first, then the squares (two passes).
   *
   * @param x [R, C]
   * @param scale [R, 1]
   */
  void layerNormScale(Tensor x, double epsilon, Tensor scale);

  /**
   * out[r,c] = (x[r,c] − mean_r) / scale[r] · gamma[c] + beta[c].
   *
   * @param x [R, C]
   * @param scale [R, 1]
   * @param gamma [C]
   * @param beta [C]
   * @param out [R, C]; may be x
   */
  void layerNormApply(Tensor x, Tensor scale, Tensor gamma, Tensor beta, Tensor out);

  /**
   * Gradient of {@link #layerNormApply} to x with the scale held: g = dOut·gamma/scale, dX = g −
   * mean(g).
   *
   * @param dOut [R, C]
   * @param scale [R, 1]
   * @param gamma [C]
   * @param dX [R, C]; may be dOut
   */
  void layerNormApplyBackwardInput(Tensor dOut, Tensor scale, Tensor gamma, Tensor dX);

  /**
   * Gradient of {@link #layerNormApply} to the scale: dScale[r] = −Σ_c dOut·gamma·(x −
   * mean)/scale².
   *
   * @param dOut [R, C]
   * @param x [R, C]
   * @param scale [R, 1]
   * @param gamma [C]
   * @param dScale [R, 1]
   */
  void layerNormApplyBackwardScale(
      Tensor dOut, Tensor x, Tensor scale, Tensor gamma, Tensor dScale);

  /**
   * Gradient of {@link #layerNormApply} to its parameters: adds Σ_r dOut·(x − mean)/scale to dGamma
   * and Σ_r dOut to dBeta.
   *
   * @param dOut [R, C]
   * @param x [R, C]
   * @param scale [R, 1]
   * @param dGamma [C]
   * @param dBeta [C]
   */
  void layerNormApplyBackwardParameters(
      Tensor dOut, Tensor x, Tensor scale, Tensor dGamma, Tensor dBeta);

  /**
   * Gradient of {@link #layerNormScale}: adds dScale[r]·(x[r,c] − mean_r)/(C·scale[r]) to dX.
   *
   * @param dScale [R, 1]
   * @param x [R, C]
   * @param scale [R, 1]
   * @param dX [R, C]
   */
  void layerNormScaleBackward(Tensor dScale, Tensor x, Tensor scale, Tensor dX);

  // ---- products

  /**
   * out[r,j] = f(Σ_i x[r,i]·w[i,j] + bias[j]). The sum runs over ascending i in one chain; the bias
   * is added last. The same bits as with {@link Activation#IDENTITY} followed by {@link #activate}.
   *
   * @param x [R, in]
   * @param w [in, out]
   * @param bias [out]
   * @param activation f
   * @param out [R, out]
   */
  void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out);

  /**
   * dX[r,i] = Σ_j dOut[r,j]·w[i,j].
   *
   * @param dOut [R, out]
   * @param w [in, out]
   * @param dX [R, in]
   */
  void linearBackwardInput(Tensor dOut, Matrix w, Tensor dX);

  /**
   * Adds Σ_r a[r,i]·b[r,j] to sum[i,j]: the weight gradient of a product (a = x, b = dOut).
   *
   * @param a [R, m]
   * @param b [R, n]
   * @param sum [m, n]
   */
  void addOuterProducts(Tensor a, Tensor b, Tensor sum);

  /**
   * Adds Σ_r x[r,c] to sum[c]: the bias gradient.
   *
   * @param x [R, C]
   * @param sum [C]
   */
  void addColumnSums(Tensor x, Tensor sum);

  // ---- sparse products

  /**
   * Keeps y[r,j] = Σ_i x[r,i]·w[i,j] + bias[j] where it exceeds threshold[j] or is NaN, without an
   * array [R, out]. The kept values have the bits {@link #linear} gives.
   *
   * @param x [R, in]
   * @param w [in, out]
   * @param bias [out]
   * @param threshold [out]; infinity keeps nothing but NaN
   */
  SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold);

  /**
   * Keeps the k largest y[r,j] = (Σ_i x[r,i]·w[i,j] + bias[j])·scale[j] of every row, exactly,
   * without an array [R, out]; of equal values those of the lowest index. NaN counts as smaller
   * than everything, and −0 is returned as 0. What is in the parentheses is rounded as by {@link
   * #linear}, then the product is.
   *
   * @param x [R, in]
   * @param w [in, out]
   * @param bias [out]
   * @param scale [out]
   * @param k at most out; every row has so many pairs, in ascending order of index
   */
  SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k);

  /**
   * out[r,c] = Σ_j x[r,j]·w[j,c] + bias[c] over the kept pairs of a row. The sum runs over
   * ascending j in one chain; the bias is added last. What is not kept adds nothing, not even where
   * w is infinite or NaN.
   *
   * @param x R rows of n columns
   * @param w [n, C]
   * @param bias [C]
   * @param out [R, C]
   */
  void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out);

  // ---- attention

  /**
   * Causal attention: the composition of {@link #attentionScores}, {@link #softmax} and {@link
   * #attentionMix}, with the same bits and without keeping scores or pattern.
   *
   * @param q [B, T, H, D]
   * @param k [B, S, H, D]
   * @param v [B, S, H, D]
   * @param z [B, T, H, D]
   */
  void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z);

  /**
   * scores[b,h,t,s] = scale·Σ_d q[b,t,h,d]·k[b,s,h,d] for s ≤ firstQuery + t, else −∞.
   *
   * @param q [B, T, H, D]
   * @param k [B, S, H, D]
   * @param scores [B, H, T, S]
   */
  void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores);

  /**
   * out[r,:] = exp(x[r,:] − max_r) / Σ exp(x[r,:] − max_r), the sum in float64 or compensated.
   *
   * @param x [R, C]; −∞ gives 0
   * @param out [R, C]; may be x
   */
  void softmax(Tensor x, Tensor out);

  /**
   * z[b,t,h,d] = Σ_s pattern[b,h,t,s]·v[b,s,h,d], s ascending. A weight of 0 adds nothing, not even
   * where v is infinite or NaN: a masked key never reaches a query.
   *
   * @param pattern [B, H, T, S]
   * @param v [B, S, H, D]
   * @param z [B, T, H, D]
   */
  void attentionMix(Tensor pattern, Tensor v, Tensor z);

  /**
   * Gradient of {@link #attention}: the composition of {@link #attentionMixBackward}, {@link
   * #softmaxBackward} and {@link #attentionScoresBackward} on the recomputed pattern.
   *
   * @param dZ [B, T, H, D]
   * @param q [B, T, H, D]
   * @param k [B, S, H, D]
   * @param v [B, S, H, D]
   * @param dQ [B, T, H, D]
   * @param dK [B, S, H, D]
   * @param dV [B, S, H, D]
   */
  void attentionBackward(
      Tensor dZ, Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor dQ, Tensor dK, Tensor dV);

  /**
   * dPattern[b,h,t,s] = Σ_d dZ[b,t,h,d]·v[b,s,h,d] and dV[b,s,h,d] = Σ_t
   * pattern[b,h,t,s]·dZ[b,t,h,d].
   *
   * @param dZ [B, T, H, D]
   * @param pattern [B, H, T, S]
   * @param v [B, S, H, D]
   * @param dPattern [B, H, T, S]
   * @param dV [B, S, H, D]
   */
  void attentionMixBackward(Tensor dZ, Tensor pattern, Tensor v, Tensor dPattern, Tensor dV);

  /**
   * dX[r,c] = p[r,c]·(dP[r,c] − Σ_j p[r,j]·dP[r,j]).
   *
   * @param dP [R, C]
   * @param p [R, C], the output of {@link #softmax}
   * @param dX [R, C]; may be dP
   */
  void softmaxBackward(Tensor dP, Tensor p, Tensor dX);

  /**
   * dQ[b,t,h,d] = scale·Σ_s dScores[b,h,t,s]·k[b,s,h,d] and dK[b,s,h,d] = scale·Σ_t
   * dScores[b,h,t,s]·q[b,t,h,d], over visible pairs (s ≤ firstQuery + t) only.
   *
   * @param dScores [B, H, T, S]
   * @param q [B, T, H, D]
   * @param k [B, S, H, D]
   * @param dQ [B, T, H, D]
   * @param dK [B, S, H, D]
   */
  void attentionScoresBackward(
      Tensor dScores, Tensor q, Tensor k, AttentionSpec spec, Tensor dQ, Tensor dK);

  // ---- element-wise

  /**
   * out = f(x).
   *
   * @param x [R, C]
   * @param out [R, C]; may be x
   */
  void activate(Tensor x, Activation activation, Tensor out);

  /**
   * dX = dOut·f′(x).
   *
   * @param dOut [R, C]
   * @param x [R, C], the input of {@link #activate}
   * @param dX [R, C]; may be dOut
   */
  void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX);

  /**
   * out = a + b, rounded once.
   *
   * @param a [R, C]
   * @param b [R, C]
   * @param out [R, C]; may be a or b
   */
  void add(Tensor a, Tensor b, Tensor out);

  /**
   * out = fma(factor, b, a), the factor rounded to float.
   *
   * @param a [R, C]
   * @param factor multiplies b
   * @param b [R, C]
   * @param out [R, C]; may be a or b
   */
  void addScaled(Tensor a, double factor, Tensor b, Tensor out);

  // ---- reductions, in float64

  /**
   * Returns −ln softmax(logits[r,:])[labels[r]] for every row, in nats; 0 where the label is −1.
   *
   * @param logits [R, V]
   * @param labels R tokens, or −1 for a row to leave out
   */
  double[] crossEntropy(Tensor logits, int[] labels);

  /**
   * dLogits[r,v] = weight·(softmax(logits[r,:])[v] − [v = labels[r]]); 0 in rows whose label is −1.
   *
   * @param logits [R, V]
   * @param labels R tokens, or −1
   * @param weight factor on the gradient of every row
   * @param dLogits [R, V]; may be logits
   */
  void crossEntropyBackward(Tensor logits, int[] labels, double weight, Tensor dLogits);

  /**
   * Returns the cross-entropy of every row through the unembedding, in nats, without an array [R,
   * V]: logits = x·w + bias.
   *
   * @param x [R, C], the output of the final layer norm
   * @param w [C, V]
   * @param bias [V]
   * @param labels R tokens, or −1 for 0
   */
  double[] unembedCrossEntropy(Tensor x, Matrix w, Tensor bias, int[] labels);

  /**
   * Returns ln Σ_v exp(x[r,:]·w[:,v] + bias[v]) for every row, without an array [R, V].
   *
   * @param x [R, C], the output of the final layer norm
   * @param w [C, V]
   * @param bias [V]
   */
  double[] unembedLogSumExp(Tensor x, Matrix w, Tensor bias);

  /**
   * Returns KL(p‖q) = Σ_v p(v)·(ln p(v) − ln q(v)) in nats for every row of {@code perturbed},
   * without an array [R, V]. A token with p(v) = 0 adds nothing. Row i of {@code perturbed} is
   * compared with row i mod R of {@code base}.
   *
   * @param base [R, C], the final layer norm's output of the original run, which gives p
   * @param perturbed [n·R, C], the same of n changed runs, which give q
   * @param w [C, V]
   * @param bias [V]
   */
  double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias);

  /**
   * Returns {@link #unembedKl} and writes {@link #unembedCrossEntropy} of {@code perturbed}, with
   * the bits of these two: the logits, which take nearly all of their time, are computed once.
   *
   * @param base [R, C], the final layer norm's output of the original run, which gives p
   * @param perturbed [n·R, C], the same of n changed runs, which give q
   * @param w [C, V]
   * @param bias [V]
   * @param labels n·R tokens, or −1 for a cross-entropy of 0
   * @param crossEntropyNats n·R numbers to write
   */
  default double[] unembedKlAndCrossEntropy(
      Tensor base,
      Tensor perturbed,
      Matrix w,
      Tensor bias,
      int[] labels,
      double[] crossEntropyNats) {
    double[] nats = unembedCrossEntropy(perturbed, w, bias, labels);
    double[] kl = unembedKl(base, perturbed, w, bias);
    System.arraycopy(nats, 0, crossEntropyNats, 0, nats.length);
    return kl;
  }

  /**
   * Returns √(Σ_c (a[r,c] − b[r,c])²) for every row.
   *
   * @param a [R, C]
   * @param b [R, C]
   */
  double[] l2Distance(Tensor a, Tensor b);

  /** Returns the sum of the squares of all elements, in a fixed order. */
  double sumOfSquares(Tensor x);

  /**
   * Returns the k largest entries of every row, exactly; equal values by lowest index first. NaN
   * counts as smaller than everything.
   *
   * @param x [R, C]
   * @param k at most C
   */
  TopK topK(Tensor x, int k);

  // ---- optimiser

  /**
   * Updates parameters and moments in place by one AdamW step.
   *
   * @param parameter any shape
   * @param gradient the same number of elements
   * @param moment1 the same number of elements
   * @param moment2 the same number of elements
   */
  void adamW(AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2);

  /** Ends the backend's threads or device context. Tensors on the host stay readable. */
  @Override
  void close();
}
