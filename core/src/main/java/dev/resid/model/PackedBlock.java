package dev.resid.model;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.Tensor;

/** The weights of one block on a backend; names as in {@link WeightNames}. */
record PackedBlock(
    Tensor ln1_gamma,
    Tensor ln1_beta,
    Matrix W_Q,
    Tensor b_Q,
    Matrix W_K,
    Tensor b_K,
    Matrix W_V,
    Tensor b_V,
    Matrix W_O,
    Tensor b_O,
    Tensor ln2_gamma,
    Tensor ln2_beta,
    Matrix W_in,
    Tensor b_in,
    Matrix W_out,
    Tensor b_out) {}
