package dev.resid.model;

import static dev.resid.hook.Site.ATTN_OUT;
import static dev.resid.hook.Site.ATTN_SCORES;
import static dev.resid.hook.Site.EMBED;
import static dev.resid.hook.Site.K;
import static dev.resid.hook.Site.LN1_NORMALIZED;
import static dev.resid.hook.Site.LN1_SCALE;
import static dev.resid.hook.Site.LN2_NORMALIZED;
import static dev.resid.hook.Site.LN2_SCALE;
import static dev.resid.hook.Site.LN_FINAL_NORMALIZED;
import static dev.resid.hook.Site.LN_FINAL_SCALE;
import static dev.resid.hook.Site.MLP_OUT;
import static dev.resid.hook.Site.MLP_POST;
import static dev.resid.hook.Site.MLP_PRE;
import static dev.resid.hook.Site.PATTERN;
import static dev.resid.hook.Site.POS_EMBED;
import static dev.resid.hook.Site.Q;
import static dev.resid.hook.Site.RESID_MID;
import static dev.resid.hook.Site.RESID_POST;
import static dev.resid.hook.Site.RESID_PRE;
import static dev.resid.hook.Site.RESULT;
import static dev.resid.hook.Site.V;
import static dev.resid.hook.Site.Z;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Activation;
import dev.resid.tensor.AttentionSpec;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.Arrays;
import java.util.Optional;

/**
 * The forward pass: the only one. Every activation passes through {@link Hooks#at}, which is where
 * captures and interventions happen, whatever the backend, and where a recorded pass keeps what the
 * backward pass needs.
 *
 * <p>A pass covers {@code pos} positions from a first one on; positions before it are seen through
 * {@link KeyValues} (incremental decoding, continuations). Rows never mix: a row gives the same
 * bits alone and in a batch.
 */
final class Gpt2Forward {
  private final PackedModel model;
  private final Gpt2Config config;
  private final Backend backend;
  private final PassMemory memory;
  private final Hooks hooks;
  private final Optional<KeyValues> cached;
  private final int batch;
  private final int pos;
  private final int first;

  Gpt2Forward(
      PackedModel model,
      PassMemory memory,
      Hooks hooks,
      Extent extent,
      Optional<KeyValues> cached) {
    this.model = model;
    this.config = model.config();
    this.backend = model.backend();
    this.memory = memory;
    this.hooks = hooks;
    this.cached = cached;
    this.batch = extent.batch();
    this.pos = extent.pos();
    this.first = extent.first();
  }

  /** Which positions a pass computes: {@code pos} of them from {@code first} on, in every row. */
  record Extent(int batch, int pos, int first) {}

  /** Returns the residual stream entering block 0: [batch, pos, d_model]. */
  Tensor embed(int[] ids) {
    Tensor tokens = take(stream());
    backend.gatherColumns(model.embedding(), ids, tokens);
    tokens = at(EMBED, -1, tokens);
    Tensor positions = take(stream());
    int[] indices = new int[batch * pos];
    for (int i = 0; i < indices.length; i++) {
      indices[i] = first + i % pos;
    }
    backend.gatherRows(model.positions(), indices, positions);
    positions = at(POS_EMBED, -1, positions);
    Tensor sum = take(stream());
    backend.add(tokens, positions, sum);
    memory.done(tokens);
    memory.done(positions);
    return sum;
  }

  /** Runs blocks {@code from} to before {@code to} on the stream entering the first of them. */
  Tensor blocks(Tensor x, int from, int to) {
    Tensor stream = x;
    for (int layer = from; layer < to; layer++) {
      stream = secondHalf(layer, firstHalf(layer, stream));
    }
    return stream;
  }

  /** Runs blocks as far as a point inside one of them, and nothing after the half it is in. */
  void reach(Tensor x, HookPoint last) {
    int layer = last.layer();
    Tensor stream = blocks(x, 0, layer);
    if (last.site() == RESID_PRE) {
      at(RESID_PRE, layer, stream);
      return;
    }
    Tensor mid = firstHalf(layer, stream);
    if (HookPoint.residMid(layer).isBefore(last)) {
      secondHalf(layer, mid);
    }
  }

  /** Goes on from an activation instead of computing it, to the end of its block. */
  Tensor enter(HookPoint point, Tensor value, Tensor stream) {
    int layer = point.layer();
    return switch (point.site()) {
      case RESID_PRE -> secondHalf(layer, firstHalf(layer, value));
      case Z -> secondHalf(layer, writeAttention(layer, stream, attnOut(layer, value)));
      case ATTN_OUT -> secondHalf(layer, writeAttention(layer, stream, value));
      case RESID_MID -> secondHalf(layer, at(RESID_MID, layer, value));
      case MLP_OUT -> writeMlp(layer, stream, value);
      case RESID_POST -> at(RESID_POST, layer, value);
      default -> throw new IllegalStateException("cannot enter at " + point);
    };
  }

  /** Returns the output of the final layer norm: [batch, pos, d_model]. */
  Tensor finish(Tensor x) {
    Tensor scale = take(stream().without(Axis.D_MODEL), Axis.ONE, 1);
    backend.layerNormScale(x, config.layerNormEpsilon(), scale);
    scale = at(LN_FINAL_SCALE, -1, scale);
    Tensor normalized = take(stream());
    backend.layerNormApply(x, scale, model.lnFinalGamma(), model.lnFinalBeta(), normalized);
    memory.done(scale);
    return at(LN_FINAL_NORMALIZED, -1, normalized);
  }

  private Tensor firstHalf(int layer, Tensor entering) {
    PackedBlock w = model.block(layer);
    Tensor x = at(RESID_PRE, layer, entering);
    Tensor scale = take(stream().without(Axis.D_MODEL), Axis.ONE, 1);
    backend.layerNormScale(x, config.layerNormEpsilon(), scale);
    scale = at(LN1_SCALE, layer, scale);
    Tensor normalized = take(stream());
    backend.layerNormApply(x, scale, w.ln1_gamma(), w.ln1_beta(), normalized);
    normalized = at(LN1_NORMALIZED, layer, normalized);
    memory.done(scale);
    Tensor q = at(Q, layer, project(normalized, w.W_Q(), w.b_Q()));
    Tensor k = at(K, layer, project(normalized, w.W_K(), w.b_K()));
    Tensor v = at(V, layer, project(normalized, w.W_V(), w.b_V()));
    memory.done(normalized);
    Tensor z = attention(layer, q, k, v);
    memory.done(q);
    memory.done(k);
    memory.done(v);
    return writeAttention(layer, x, attnOut(layer, z));
  }

  private Tensor attnOut(int layer, Tensor mixed) {
    PackedBlock w = model.block(layer);
    Tensor z = at(Z, layer, mixed);
    Tensor out = take(stream());
    backend.linear(flat(z), w.W_O(), w.b_O(), Activation.IDENTITY, out);
    if (hooks.has(RESULT, layer)) {
      out = throughResult(layer, z, out);
    }
    memory.done(z);
    return out;
  }

  private Tensor writeAttention(int layer, Tensor x, Tensor out) {
    Tensor attnOut = at(ATTN_OUT, layer, out);
    Tensor mid = take(stream());
    backend.add(x, attnOut, mid);
    memory.done(attnOut);
    memory.done(x);
    return at(RESID_MID, layer, mid);
  }

  private Tensor secondHalf(int layer, Tensor mid) {
    PackedBlock w = model.block(layer);
    Tensor scale = take(stream().without(Axis.D_MODEL), Axis.ONE, 1);
    backend.layerNormScale(mid, config.layerNormEpsilon(), scale);
    scale = at(LN2_SCALE, layer, scale);
    Tensor normalized = take(stream());
    backend.layerNormApply(mid, scale, w.ln2_gamma(), w.ln2_beta(), normalized);
    normalized = at(LN2_NORMALIZED, layer, normalized);
    memory.done(scale);
    Tensor hidden = take(stream().without(Axis.D_MODEL), Axis.D_MLP, config.dMlp());
    if (memory.recording() || hooks.has(MLP_PRE, layer)) {
      backend.linear(normalized, w.W_in(), w.b_in(), Activation.IDENTITY, hidden);
      Tensor pre = at(MLP_PRE, layer, hidden);
      hidden = take(pre.shape());
      backend.activate(pre, config.activation(), hidden);
      memory.done(pre);
    } else {
      backend.linear(normalized, w.W_in(), w.b_in(), config.activation(), hidden);
    }
    memory.done(normalized);
    hidden = at(MLP_POST, layer, hidden);
    Tensor out = take(stream());
    backend.linear(hidden, w.W_out(), w.b_out(), Activation.IDENTITY, out);
    memory.done(hidden);
    return writeMlp(layer, mid, out);
  }

  private Tensor writeMlp(int layer, Tensor mid, Tensor out) {
    Tensor mlpOut = at(MLP_OUT, layer, out);
    Tensor post = take(stream());
    backend.add(mid, mlpOut, post);
    memory.done(mlpOut);
    memory.done(mid);
    return at(RESID_POST, layer, post);
  }

  private Tensor attention(int layer, Tensor q, Tensor k, Tensor v) {
    AttentionSpec spec = new AttentionSpec(config.scoreScale(layer), first);
    Tensor keys = cached.map(c -> c.keys(layer, first, k)).orElse(k);
    Tensor values = cached.map(c -> c.values(layer, first, v)).orElse(v);
    Tensor z = take(q.shape());
    if (!hooks.has(ATTN_SCORES, layer) && !hooks.has(PATTERN, layer)) {
      backend.attention(q, keys, values, spec, z);
      return z;
    }
    int visible = first + pos;
    if (cached.isPresent() && cached.get().capacity() > visible) {
      keys = firstPositions(keys, visible);
      values = firstPositions(values, visible);
    }
    Tensor scores =
        take(
            Shape.of(
                Axis.BATCH,
                batch,
                Axis.HEAD,
                config.nHeads(),
                Axis.POS,
                pos,
                Axis.KEY_POS,
                visible));
    backend.attentionScores(q, keys, spec, scores);
    scores = at(ATTN_SCORES, layer, scores);
    Tensor pattern = take(scores.shape());
    backend.softmax(scores, pattern);
    memory.done(scores);
    pattern = at(PATTERN, layer, pattern);
    backend.attentionMix(pattern, values, z);
    memory.done(pattern);
    return z;
  }

  private Tensor firstPositions(Tensor buffer, int count) {
    Tensor part = take(buffer.shape().with(Axis.POS, count));
    backend.extract(buffer, Axis.POS, 0, part);
    return part;
  }

  /**
   * The per-head results, which no kernel needs. At positions where an intervention changes them,
   * attn_out becomes their sum over heads plus b_O; everywhere else it keeps its bits.
   */
  private Tensor throughResult(int layer, Tensor z, Tensor fused) {
    PackedBlock w = model.block(layer);
    Tensor output = w.W_O().toTensor();
    int width = config.dHead();
    Shape shape =
        Shape.of(
            Axis.BATCH,
            batch,
            Axis.POS,
            pos,
            Axis.HEAD,
            config.nHeads(),
            Axis.D_MODEL,
            config.dModel());
    Tensor result = take(shape);
    Tensor none = backend.allocate(Shape.of(Axis.D_MODEL, config.dModel()));
    for (int h = 0; h < config.nHeads(); h++) {
      Tensor zHead = take(z.shape().with(Axis.HEAD, 1));
      backend.extract(z, Axis.HEAD, h, zHead);
      Matrix head =
          backend.pack(
              output.slice(output.shape().dims().getFirst().axis(), h * width, (h + 1) * width));
      Tensor part = take(shape.with(Axis.HEAD, 1));
      backend.linear(flat(zHead), head, none, Activation.IDENTITY, part);
      backend.insert(part, Axis.HEAD, h, result);
      memory.done(zHead);
      memory.done(part);
    }
    float[] before = result.toArray();
    result = at(RESULT, layer, result);
    float[] parts = result.toArray();
    if (sameBits(before, parts, 0, parts.length)) {
      return fused;
    }
    float[] bias = w.b_O().toArray();
    float[] sums = fused.toArray();
    int perRow = config.nHeads() * config.dModel();
    for (int row = 0; row < batch * pos; row++) {
      if (sameBits(before, parts, row * perRow, perRow)) {
        continue;
      }
      for (int c = 0; c < config.dModel(); c++) {
        double sum = 0;
        for (int h = 0; h < config.nHeads(); h++) {
          sum += parts[row * perRow + h * config.dModel() + c];
        }
        sums[row * config.dModel() + c] = (float) (sum + bias[c]);
      }
    }
    Tensor changed = take(stream());
    backend.copy(Tensor.wrap(stream(), sums), changed);
    memory.done(fused);
    return changed;
  }

  private static boolean sameBits(float[] a, float[] b, int from, int length) {
    return Arrays.equals(a, from, from + length, b, from, from + length);
  }

  private Tensor project(Tensor normalized, Matrix weight, Tensor bias) {
    Tensor out =
        take(
            Shape.of(
                Axis.BATCH,
                batch,
                Axis.POS,
                pos,
                Axis.HEAD,
                config.nHeads(),
                Axis.D_HEAD,
                config.dHead()));
    backend.linear(normalized, weight, bias, Activation.IDENTITY, flat(out));
    return out;
  }

  /** Returns [batch, pos, head, d_head] read as [batch, pos, head·d_head], on the same storage. */
  static Tensor flat(Tensor heads) {
    Shape shape = heads.shape();
    return heads.reshape(
        Shape.of(
            Axis.BATCH,
            shape.size(Axis.BATCH),
            Axis.POS,
            shape.size(Axis.POS),
            Axis.OUT,
            shape.size(Axis.HEAD) * shape.size(Axis.D_HEAD)));
  }

  private Tensor at(Site site, int layer, Tensor value) {
    Tensor result = hooks.at(site, layer, first, value, memory);
    memory.record(site, layer, result);
    return result;
  }

  private Shape stream() {
    return Shape.of(Axis.BATCH, batch, Axis.POS, pos, Axis.D_MODEL, config.dModel());
  }

  private Tensor take(Shape shape) {
    return memory.take(shape);
  }

  private Tensor take(Shape shape, Axis last, int size) {
    var dims = new java.util.ArrayList<>(shape.dims());
    dims.add(new dev.resid.tensor.Dim(last, size));
    return memory.take(new Shape(dims));
  }
}
