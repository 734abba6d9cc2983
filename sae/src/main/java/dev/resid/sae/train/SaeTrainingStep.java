package dev.resid.sae.train;

/**
 * What one training step saw before its update; terms that the loss does not have are NaN.
 *
 * @param loss what is made small
 * @param reconstruction MSE(x̂, x), always measured
 * @param kl mean KL(clean‖with SAE) over tokens, in nats
 * @param downstream Σ over the downstream points of MSE divided by their number
 * @param sparsity S, the mean ‖f‖₁ of a token divided by d_model
 * @param l0 mean number of active features of a token
 * @param dead share of features not active in any of the last {@link SaeTrainer#DEAD_TOKENS} tokens
 * @param gradientNorm norm of the whole gradient before clipping
 */
public record SaeTrainingStep(
    double loss,
    double reconstruction,
    double kl,
    double downstream,
    double sparsity,
    double l0,
    double dead,
    double gradientNorm) {}
