package dev.resid.sae.train;

/**
 * What one training step saw before its update; terms that the objective does not have are 0.
 *
 * @param loss what is made small
 * @param reconstruction MSE(x̂, x), the mean over tokens and width
 * @param kl mean KL(clean‖with SAE) over tokens, in nats
 * @param downstream mean over the downstream points of MSE
 * @param sparsity the sparsity term before its weight: S of {@link SaeLoss}, the mean sum of
 *     weighted features of {@link BloomLoss}
 * @param auxiliary the term of dead features: ghost gradients or the auxiliary loss, weighed
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
    double auxiliary,
    double l0,
    double dead,
    double gradientNorm) {}
