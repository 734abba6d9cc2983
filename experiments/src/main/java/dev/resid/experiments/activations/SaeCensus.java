package dev.resid.experiments.activations;

import dev.resid.experiments.direction.FeatureChoice;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.sweep.Moments;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.BitSet;

/**
 * What the clean data say about an SAE: which of its features are ever active, how many are at a
 * position, and how far reconstructions are from the activation. Position 0 is included, as in the
 * publication.
 */
public final class SaeCensus {
  private final String name;
  private final BitSet alive;
  private final int dSae;
  private Moments l0;
  private Moments error;

  private SaeCensus(String name, int dSae, BitSet alive, Moments l0, Moments error) {
    this.name = name;
    this.dSae = dSae;
    this.alive = alive;
    this.l0 = l0;
    this.error = error;
  }

  /** Returns a census of no data. */
  static SaeCensus of(NamedSae sae) {
    int dSae = sae.sae().config().dSae();
    return new SaeCensus(sae.name(), dSae, new BitSet(dSae), Moments.NONE, Moments.NONE);
  }

  /**
   * Adds rows, one by one in their order, so that nothing depends on the batch.
   *
   * @param sae the SAE this is a census of
   * @param activation [batch, pos, d_model]
   * @param lengths tokens of each row
   */
  void add(Sae sae, Tensor activation, int[] lengths) {
    SparseFeatures features = sae.encode(activation);
    float[] values = activation.toArray();
    float[] reconstruction = sae.decode(features, activation).toArray();
    int stride = features.rows() / lengths.length;
    int d = values.length / features.rows();
    for (int row = 0; row < lengths.length; row++) {
      double[] counts = new double[lengths[row]];
      double[] errors = new double[lengths[row]];
      for (int pos = 0; pos < lengths[row]; pos++) {
        int r = row * stride + pos;
        counts[pos] = features.count(r);
        errors[pos] = distance(values, reconstruction, r * d, d);
        for (int at = features.start(r); at < features.end(r); at++) {
          if (features.values()[at] > FeatureChoice.ACTIVE_ABOVE) {
            alive.set(features.indices()[at]);
          }
        }
      }
      l0 = l0.merge(Moments.of(counts));
      error = error.merge(Moments.of(errors));
    }
  }

  private static double distance(float[] a, float[] b, int offset, int d) {
    double sum = 0;
    for (int i = offset; i < offset + d; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  /** Returns the SAE's name. */
  public String name() {
    return name;
  }

  /** Returns the features that were active anywhere. */
  public BitSet alive() {
    return (BitSet) alive.clone();
  }

  /** Returns the number of features. */
  public int dSae() {
    return dSae;
  }

  /** Returns the mean number of active features at a position. */
  public double meanL0() {
    return l0.mean();
  }

  /** Returns the mean Euclidean norm of SAE(x) − x. */
  public double meanError() {
    return error.mean();
  }

  /** Returns whether both describe the same SAE on the same data, up to rounding. */
  public boolean agreesWith(SaeCensus other) {
    return name.equals(other.name)
        && dSae == other.dSae
        && Math.abs(l0.mean() - other.l0.mean()) <= 1e-3 * (1 + l0.mean());
  }

  void write(DataOutputStream out) throws IOException {
    out.writeUTF(name);
    out.writeInt(dSae);
    byte[] bits = alive.toByteArray();
    out.writeInt(bits.length);
    out.write(bits);
    for (Moments moments : new Moments[] {l0, error}) {
      out.writeLong(moments.count());
      out.writeDouble(moments.mean());
      out.writeDouble(moments.sumOfSquares());
    }
  }

  static SaeCensus read(DataInputStream in) throws IOException {
    String name = in.readUTF();
    int dSae = in.readInt();
    byte[] bits = in.readNBytes(in.readInt());
    return new SaeCensus(name, dSae, BitSet.valueOf(bits), moments(in), moments(in));
  }

  private static Moments moments(DataInputStream in) throws IOException {
    return new Moments(in.readLong(), in.readDouble(), in.readDouble());
  }
}
