package dev.resid.sae.metric;

/** Adds what follows from an activation and its reconstruction, token by token, in float64. */
final class TokenSums {
  private final float[] x;
  private final float[] y;
  private final double[][] mean;
  private final SaeSums sums;

  /**
   * Prepares some tokens.
   *
   * @param x activations, [tokens, width]
   * @param y reconstructions, [tokens, width]
   * @param mean x̄ by scope, [scopes, width]
   * @param sums added to
   */
  TokenSums(float[] x, float[] y, double[][] mean, SaeSums sums) {
    this.x = x;
    this.y = y;
    this.mean = mean;
    this.sums = sums;
  }

  /** Adds a token and returns a number that is not finite if the token's are not. */
  double add(int pos, int token) {
    int width = mean[0].length;
    int base = token * width;
    double error = 0;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int c = 0; c < width; c++) {
      double in = x[base + c];
      double out = y[base + c];
      error += (out - in) * (out - in);
      xx += in * in;
      yy += out * out;
      xy += in * out;
    }
    for (TokenScope scope : TokenScope.values()) {
      if (pos >= scope.firstPosition()) {
        double deviation = 0;
        double[] center = mean[scope.ordinal()];
        for (int c = 0; c < width; c++) {
          deviation += (x[base + c] - center[c]) * (x[base + c] - center[c]);
        }
        add(scope, width, error, xx, yy, xy, deviation);
      }
    }
    return error + xx;
  }

  private void add(
      TokenScope scope,
      int width,
      double error,
      double xx,
      double yy,
      double xy,
      double deviation) {
    sums.add(scope, Sum.TOKENS, 1);
    sums.add(scope, Sum.SQUARED_ERROR, error);
    sums.add(scope, Sum.SQUARED_NORM, xx);
    sums.add(scope, Sum.SQUARED_NORM_OUT, yy);
    sums.add(scope, Sum.SQUARED_DEVIATION, deviation);
    sums.add(scope, Sum.PRODUCT, xy);
    sums.add(scope, Sum.NORM, Math.sqrt(xx));
    sums.add(scope, Sum.NORM_OUT, Math.sqrt(yy));
    if (xx > 0) {
      sums.add(scope, Sum.NORM_TOKENS, 1);
      sums.add(scope, Sum.NORM_RATIO, Math.sqrt(yy / xx));
      sums.add(scope, Sum.ERROR_BY_NORM, error / (width * Math.sqrt(xx)));
    }
    if (xx > 0 && yy > 0) {
      sums.add(scope, Sum.COSINE_TOKENS, 1);
      sums.add(scope, Sum.COSINE, xy / (Math.sqrt(xx) * Math.sqrt(yy)));
    }
    if (deviation > 0) {
      sums.add(scope, Sum.DEVIATION_TOKENS, 1);
      sums.add(scope, Sum.ERROR_BY_SQUARED_DEVIATION, error / deviation);
      sums.add(scope, Sum.ERROR_BY_DEVIATION, error / (width * Math.sqrt(deviation)));
    }
  }
}
