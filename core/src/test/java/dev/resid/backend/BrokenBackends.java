package dev.resid.backend;

import dev.resid.backend.scalar.ScalarBackend;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.SparseRows;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.testing.DelegatingBackend;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Contracts of backends with one mistake each, for {@link BackendContractTest}. They are nested so
 * that no runner takes them for tests of the project. Long because it is a list.
 */
final class BrokenBackends {
  private BrokenBackends() {}

  /** The contract of a backend that does not depend on threads. */
  abstract static class Broken extends BackendContract {
    @Override
    protected Backend open(int threads) {
      return open();
    }
  }

  /** A scalar backend to make mistakes with. */
  private abstract static class Mistaken extends DelegatingBackend {
    Mistaken() {
      super(new ScalarBackend());
    }

    @Override
    public String name() {
      return "mistaken";
    }

    static float[] array(Tensor tensor) {
      return ((HostStorage) tensor.storage()).array();
    }
  }

  /** Adds whole groups of eight columns and forgets the rest of each row. */
  static class DropsTheTail extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void add(Tensor a, Tensor b, Tensor out) {
          Tensor sum = Tensor.zeros(a.shape());
          super.add(a, b, sum);
          int C = out.shape().last();
          for (int i = 0; i < (int) out.elements(); i++) {
            if (i % C < C / 8 * 8) {
              array(out)[i] = array(sum)[i];
            }
          }
        }
      };
    }
  }

  /** Lets every query see every key. */
  static class ForgetsTheMask extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void attentionScores(Tensor q, Tensor k, AttentionSpec spec, Tensor scores) {
          int S = k.shape().dims().get(1).size();
          super.attentionScores(q, k, new AttentionSpec(spec.scale(), S), scores);
        }

        @Override
        public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
          int S = k.shape().dims().get(1).size();
          super.attention(q, k, v, new AttentionSpec(spec.scale(), S), z);
        }
      };
    }
  }

  /** Hides the last visible key of every query when there are keys before the first. */
  static class ShiftsTheMaskOfCachedKeys extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
          int first = spec.firstQuery() == 0 ? 0 : spec.firstQuery() - 1;
          super.attention(q, k, v, new AttentionSpec(spec.scale(), first), z);
        }
      };
    }
  }

  /** Packs a transposed matrix without transposing it. */
  static class TransposesAWeight extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public Matrix packTransposed(Tensor w) {
          Shape reversed = Shape.of(w.shape().dims().get(1), w.shape().dims().get(0));
          return super.pack(Tensor.of(reversed, w.toArray()));
        }
      };
    }
  }

  /** Leaves epsilon out of the layer norm. */
  static class LeavesOutEpsilon extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
          super.layerNormScale(x, 0, scale);
        }
      };
    }
  }

  /** Takes the variance as the mean square minus the squared mean, in float. */
  static class TakesTheVarianceInOnePass extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void layerNormScale(Tensor x, double epsilon, Tensor scale) {
          super.layerNormScale(x, epsilon, scale);
          float[] values = x.toArray();
          int C = x.shape().last();
          for (int r = 0; r < (int) x.shape().rows(); r++) {
            float sum = 0;
            float squares = 0;
            for (int c = 0; c < C; c++) {
              sum += values[r * C + c];
              squares += values[r * C + c] * values[r * C + c];
            }
            float mean = sum / C;
            array(scale)[r] = (float) Math.sqrt(Math.max(0, squares / C - mean * mean) + epsilon);
          }
        }
      };
    }
  }

  /** Uses the error function where the tanh form is asked for. */
  static class UsesTheOtherGelu extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void activate(Tensor x, Activation activation, Tensor out) {
          super.activate(x, other(activation), out);
        }

        @Override
        public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
          super.linear(x, w, bias, other(activation), out);
        }

        private Activation other(Activation activation) {
          return activation == Activation.GELU_NEW ? Activation.GELU : activation;
        }
      };
    }
  }

  /** Writes one element behind the output of the softmax. */
  static class WritesOneElementTooFar extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void softmax(Tensor x, Tensor out) {
          super.softmax(x, out);
          if (array(out).length > out.elements()) {
            array(out)[(int) out.elements()] = 0;
          }
        }
      };
    }
  }

  /** Changes an input after it has been used. */
  static class ChangesAnInput extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public double[] l2Distance(Tensor a, Tensor b) {
          double[] distance = super.l2Distance(a, b);
          if (a.elements() > 0) {
            array(a)[0] += 1;
          }
          return distance;
        }
      };
    }
  }

  /** Returns KL(q‖p). */
  static class TakesKlInTheOtherDirection extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
          int R = (int) base.shape().rows();
          int C = base.shape().last();
          double[] nats = super.unembedKl(base, perturbed, w, bias);
          float[] values = perturbed.toArray();
          for (int from = 0; from < nats.length; from += R) {
            float[] run = Arrays.copyOfRange(values, from * C, (from + R) * C);
            Tensor changed = Tensor.wrap(ContractBench.rows(R, C), run);
            System.arraycopy(super.unembedKl(changed, base, w, bias), 0, nats, from, R);
          }
          return nats;
        }
      };
    }
  }

  /** Finds a small divergence where there is none. */
  static class LosesDigitsOfKl extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public double[] unembedKl(Tensor base, Tensor perturbed, Matrix w, Tensor bias) {
          double[] nats = super.unembedKl(base, perturbed, w, bias);
          return Arrays.stream(nats).map(kl -> kl + 1e-9).toArray();
        }
      };
    }
  }

  /** Rounds otherwise when more than four rows are multiplied. */
  static class DependsOnTheBatch extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void linear(Tensor x, Matrix w, Tensor bias, Activation activation, Tensor out) {
          super.linear(x, w, bias, Activation.IDENTITY, out);
          if (x.shape().rows() > 4) {
            for (int i = 0; i < (int) out.elements(); i++) {
              float value = array(out)[i];
              array(out)[i] = Float.isFinite(value) ? Math.nextUp(value) : value;
            }
          }
          super.activate(out, activation, out);
        }
      };
    }
  }

  /** Rounds otherwise with more than two threads. */
  static class DependsOnThreads extends BackendContract {
    @Override
    protected Backend open() {
      return open(1);
    }

    @Override
    protected Backend open(int threads) {
      return new Mistaken() {
        @Override
        public double sumOfSquares(Tensor x) {
          return threads > 2 ? Math.nextUp(super.sumOfSquares(x)) : super.sumOfSquares(x);
        }
      };
    }
  }

  /** Rounds otherwise at every second call. */
  static class DependsOnTheCall extends Broken {
    private final AtomicInteger calls = new AtomicInteger();

    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void addColumnSums(Tensor x, Tensor sum) {
          super.addColumnSums(x, sum);
          if (x.elements() > 0 && calls.incrementAndGet() % 2 == 0) {
            array(sum)[0] = Math.nextUp(array(sum)[0]);
          }
        }
      };
    }
  }

  /** Prefers the highest index among equal values. */
  static class BreaksTiesByHighestIndex extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public TopK topK(Tensor x, int k) {
          TopK top = super.topK(reversed(x), k);
          int last = x.shape().last() - 1;
          int[] indices = Arrays.stream(top.indices()).map(i -> last - i).toArray();
          return new TopK(k, indices, top.values());
        }

        private Tensor reversed(Tensor x) {
          float[] values = x.toArray();
          float[] result = new float[values.length];
          int C = x.shape().last();
          for (int i = 0; i < values.length; i++) {
            result[i / C * C + C - 1 - i % C] = values[i];
          }
          return Tensor.wrap(x.shape(), result);
        }
      };
    }
  }

  /** Rounds the fused attention otherwise than its parts. */
  static class FusesAttentionInexactly extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
          super.attention(q, k, v, spec, z);
          for (int i = 0; i < (int) z.elements(); i++) {
            array(z)[i] = Math.nextUp(array(z)[i]);
          }
        }
      };
    }
  }

  /** Multiplies masked values by 0 instead of leaving them out. */
  static class MultipliesMaskedValues extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void attentionMix(Tensor pattern, Tensor v, Tensor z) {
          super.attentionMix(pattern, v, z);
          poison(v, z);
        }

        @Override
        public void attention(Tensor q, Tensor k, Tensor v, AttentionSpec spec, Tensor z) {
          super.attention(q, k, v, spec, z);
          poison(v, z);
        }

        private void poison(Tensor v, Tensor z) {
          for (float value : v.toArray()) {
            if (!Float.isFinite(value)) {
              Arrays.fill(array(z), 0, (int) z.elements(), Float.NaN);
            }
          }
        }
      };
    }
  }

  /** Overwrites the gradient of a weight instead of adding to it. */
  static class OverwritesAGradient extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void addOuterProducts(Tensor a, Tensor b, Tensor sum) {
          Arrays.fill(array(sum), 0, (int) sum.elements(), 0);
          super.addOuterProducts(a, b, sum);
        }
      };
    }
  }

  /** Rounds the product before it is added. */
  static class RoundsTwice extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
          float f = (float) factor;
          Tensor product = b.map(x -> f * x);
          super.add(a, product, out);
        }
      };
    }
  }

  /** Hands out the same memory twice. */
  static class HandsOutMemoryTwice extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public Scope scope() {
          float[] memory = new float[1 << 16];
          Scope scope = super.scope();
          return new Scope() {
            @Override
            public Tensor take(Shape shape) {
              scope.take(Shape.of(Axis.ROW, 0));
              return Tensor.on(shape, new HostStorage(memory));
            }

            @Override
            public void give(Tensor tensor) {
              scope.give(tensor);
            }

            @Override
            public void close() {
              scope.close();
            }
          };
        }
      };
    }
  }

  /** Keeps what equals its threshold. */
  static class KeepsWhatEqualsTheThreshold extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
          return super.linearAbove(x, w, bias, threshold.map(Math::nextDown));
        }
      };
    }
  }

  /** Forgets what is NaN, which is not above anything. */
  static class ForgetsNan extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public SparseRows linearAbove(Tensor x, Matrix w, Tensor bias, Tensor threshold) {
          SparseRows kept = super.linearAbove(x, w, bias, threshold);
          long[] starts = new long[kept.rows() + 1];
          int[] indices = new int[kept.count()];
          float[] values = new float[kept.count()];
          int n = 0;
          for (int r = 0; r < kept.rows(); r++) {
            for (int at = kept.start(r); at < kept.end(r); at++) {
              if (!Float.isNaN(kept.values()[at])) {
                indices[n] = kept.indices()[at];
                values[n++] = kept.values()[at];
              }
            }
            starts[r + 1] = n;
          }
          return new SparseRows(kept.columns(), starts, indices, values);
        }
      };
    }
  }

  /** Of equal products keeps those of the highest index. */
  static class KeepsTheHighestOfEqualProducts extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public SparseRows linearTopK(Tensor x, Matrix w, Tensor bias, Tensor scale, int k) {
          int n = w.shape().last();
          if (bias.elements() != n || scale.elements() != n) {
            return super.linearTopK(x, w, bias, scale, k);
          }
          Tensor weights = w.toTensor();
          float[] reversed = reversed(weights.toArray(), n);
          SparseRows kept =
              super.linearTopK(
                  x,
                  super.pack(Tensor.wrap(weights.shape(), reversed)),
                  Tensor.wrap(bias.shape(), reversed(bias.toArray(), n)),
                  Tensor.wrap(scale.shape(), reversed(scale.toArray(), n)),
                  k);
          int[] indices = new int[kept.count()];
          float[] values = new float[kept.count()];
          for (int i = 0; i < indices.length; i++) {
            int from = i / k * k + k - 1 - i % k;
            indices[i] = n - 1 - kept.indices()[from];
            values[i] = kept.values()[from];
          }
          return new SparseRows(n, kept.starts(), indices, values);
        }
      };
    }

    private static float[] reversed(float[] rows, int n) {
      float[] result = new float[rows.length];
      for (int i = 0; i < rows.length; i++) {
        result[i] = rows[i / n * n + n - 1 - i % n];
      }
      return result;
    }
  }

  /** Sums over all rows of the weights, those that are multiplied by 0 included. */
  static class SumsWhatIsNotKept extends Broken {
    @Override
    protected Backend open() {
      return new Mistaken() {
        @Override
        public void sparseLinear(SparseRows x, Tensor w, Tensor bias, Tensor out) {
          super.sparseLinear(x, w, bias, out);
          int columns = x.columns();
          Shape all = Shape.of(Axis.ROW, x.rows(), Axis.IN, columns);
          Tensor zeros = Tensor.zeros(out.shape());
          super.linear(
              Tensor.zeros(all),
              super.pack(w),
              Tensor.zeros(bias.shape()),
              Activation.IDENTITY,
              zeros);
          super.add(out, zeros, out);
        }
      };
    }
  }
}
