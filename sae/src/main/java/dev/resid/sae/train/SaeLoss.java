package dev.resid.sae.train;

import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.List;

/**
 * The losses of the end-to-end paper: reconstruction·MSE(x̂, x) + kl·KL(clean‖with SAE) + Σ over
 * the downstream points of (downstream/points)·MSE(with SAE, clean) + sparsity·S. MSE is the mean
 * over all elements, KL the mean over tokens in nats, and S the mean over tokens of ‖f‖₁ divided by
 * d_model.
 *
 * @param reconstruction weight of the error at the SAE itself, at least 0
 * @param kl weight of the divergence of the output distribution, at least 0
 * @param downstream weight of all downstream points together, at least 0
 * @param downstreamPoints activations after the SAE that are compared with the clean run
 * @param sparsity weight of S, φ in the paper, at least 0
 * @source Braun, Taylor, Goldowsky-Dill and Sharkey 2024, "Identifying functionally important
 *     features with end-to-end sparse dictionary learning", section 2; weights of e2e_sae 2.1.1
 */
public record SaeLoss(
    double reconstruction,
    double kl,
    double downstream,
    List<HookPoint> downstreamPoints,
    double sparsity)
    implements SaeObjective {

  /** Checks the ranges. */
  public SaeLoss {
    downstreamPoints = List.copyOf(downstreamPoints);
    LossWeight.require("reconstruction", reconstruction);
    LossWeight.require("KL", kl);
    LossWeight.require("downstream", downstream);
    LossWeight.require("sparsity", sparsity);
    if (reconstruction + kl + downstream == 0) {
      throw new IllegalArgumentException("a loss needs a term beside sparsity");
    }
    if (downstream > 0 && downstreamPoints.isEmpty()) {
      throw new IllegalArgumentException("a downstream loss needs points after the SAE");
    }
  }

  /**
   * Returns the local objective: MSE(x̂, x) + φ·S.
   *
   * @param sparsity φ
   */
  public static SaeLoss local(double sparsity) {
    return new SaeLoss(1, 0, 0, List.of(), sparsity);
  }

  /**
   * Returns the end-to-end objective: KL + φ·S.
   *
   * @param sparsity φ
   */
  public static SaeLoss endToEnd(double sparsity) {
    return new SaeLoss(0, 1, 0, List.of(), sparsity);
  }

  /**
   * Returns the end-to-end objective with downstream reconstruction: 0.5·KL + Σ (2.5/points)·MSE +
   * φ·S over {@code resid_pre} of every later block.
   *
   * @param point where the SAE is
   * @param nLayers blocks of the model
   * @param sparsity φ
   * @throws IllegalArgumentException if no block comes after the SAE's
   */
  public static SaeLoss downstream(HookPoint point, int nLayers, double sparsity) {
    List<HookPoint> later = new ArrayList<>();
    for (int layer = point.layer() + 1; layer < nLayers; layer++) {
      later.add(HookPoint.residPre(layer));
    }
    return new SaeLoss(0, 0.5, 2.5, later, sparsity);
  }

  @Override
  public boolean isLocal() {
    return kl == 0 && downstream == 0;
  }
}
