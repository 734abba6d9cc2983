package dev.resid.tensor;

/**
 * The numbers of one AdamW update (Loshchilov and Hutter 2019, algorithm 2, decoupled decay).
 *
 * @param learningRate step size at this step
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment after bias correction
 * @param weightDecay decoupled decay, multiplied by the learning rate
 * @param gradientScale factor on the gradient before anything else (1, or below it when clipped)
 * @param step number of this update, the first is 1
 */
public record AdamStep(
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double gradientScale,
    long step) {}
