package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A continued run computes less than a full one with the same change, and gives the same bits: from
 * every site it can start at, with all positions changed and with changes from one position on.
 */
class ContinuationTest extends OnEachCpuBackend {
  private static final Site[] STARTS = {
    Site.RESID_PRE, Site.Z, Site.ATTN_OUT, Site.RESID_MID, Site.MLP_OUT, Site.RESID_POST
  };

  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  private static List<HookPoint> starts(Gpt2Config config) {
    List<HookPoint> points = new ArrayList<>();
    for (int layer = 0; layer < config.nLayers(); layer++) {
      for (Site site : STARTS) {
        points.add(HookPoint.at(site, layer));
      }
    }
    return points;
  }

  private static HookPoint last(ModelCase c) {
    return HookPoint.residPost(c.config().nLayers() - 1);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void changesAtAllPositionsGiveTheFullRunFromEverySite(ModelCase c) {
    for (HookPoint point : starts(c.config())) {
      compare(c, point, 0);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void changesFromAPositionOnGiveTheFullRunFromEverySite(ModelCase c) {
    int pos = c.tokens().maxLength();
    for (HookPoint point : starts(c.config())) {
      compare(c, point, 1);
      compare(c, point, pos / 2);
      compare(c, point, pos - 1);
    }
  }

  /** Changes positions from {@code first} on, once by continuing and once in a full run. */
  private void compare(ModelCase c, HookPoint point, int first) {
    Gpt2 gpt2 = c.on(backend());
    TokenBatch tokens = c.tokens();
    HookPoint[] keep =
        Reference.points(c.config()).stream()
            .filter(p -> !p.isBefore(point) && p.site() != Site.LN_FINAL_SCALE)
            .toArray(HookPoint[]::new);
    try (BaseRun base = gpt2.baseRun(tokens, point)) {
      Tensor noise = c.noise(base.activation().shape(), 0.5);
      for (int pos = 0; pos < first; pos++) {
        noise = noise.with(Axis.POS, pos, noise.at(Axis.POS, pos).times(0));
      }
      Tensor changed = base.activation().plus(noise);
      Continuation continued = base.continueWith(changed, keep);
      List<Hook> hooks = new ArrayList<>();
      hooks.add(point.replace((x, at) -> changed));
      for (HookPoint p : keep) {
        hooks.add(p.capture());
      }
      ForwardResult full = gpt2.forward(tokens, hooks.toArray(Hook[]::new));
      String what = point + " changed from position " + first;
      assertEquals(first, continued.firstPosition(), what);
      for (int row = 0; row < tokens.rows(); row++) {
        int length = tokens.length(row);
        check(c, what + ", logits of row " + row)
            .sameBits(
                Reference.rowOf(full.logits(), row, length),
                Reference.rowOf(continued.logits(), row, length));
      }
      for (HookPoint p : keep) {
        check(c, what + ", " + p)
            .sameBits(
                full.cache().get(p).slice(Axis.POS, first, tokens.maxLength()),
                continued.cache().get(p));
      }
      reductions(c, what, hooks.getFirst(), continued);
    }
  }

  private void reductions(ModelCase c, String what, Hook hook, Continuation continued) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint norm = HookPoint.at(Site.LN_FINAL_NORMALIZED);
    HookPoint last = last(c);
    ActivationCache clean = gpt2.capture(c.tokens(), norm.capture(), last.capture());
    ActivationCache full = gpt2.capture(c.tokens(), hook, norm.capture(), last.capture());
    double[] kl =
        backend()
            .unembedKl(
                clean.get(norm),
                full.get(norm),
                backend().packTransposed(c.weights().get(Weight.of(WeightNames.W_U))),
                c.weights().get(Weight.of(WeightNames.b_U)));
    double[] l2 = backend().l2Distance(full.get(last), clean.get(last));
    PositionValues nats = gpt2.crossEntropyNats(c.tokens(), hook);
    Continuation.KlAndCrossEntropy both = continued.klAndCrossEntropyNats();
    for (int row = 0; row < c.tokens().rows(); row++) {
      check(c, what + ", KL of row " + row)
          .sameBits(numbers(c, row), part(c, kl, row), continued.klNats().row(row));
      check(c, what + ", L2 of row " + row)
          .sameBits(numbers(c, row), part(c, l2, row), continued.l2At(last).row(row));
      check(c, what + ", cross-entropy of row " + row)
          .sameBits(
              Reference.numbers(nats.length(row)),
              nats.row(row),
              continued.crossEntropyNats().row(row));
      check(c, what + ", KL of both, row " + row)
          .sameBits(numbers(c, row), part(c, kl, row), both.klNats().row(row));
      check(c, what + ", cross-entropy of both, row " + row)
          .sameBits(
              Reference.numbers(nats.length(row)), nats.row(row), both.crossEntropyNats().row(row));
    }
  }

  private static dev.resid.tensor.Shape numbers(ModelCase c, int row) {
    return Reference.numbers(c.tokens().length(row));
  }

  private static double[] part(ModelCase c, double[] values, int row) {
    int from = row * c.tokens().maxLength();
    return java.util.Arrays.copyOfRange(values, from, from + c.tokens().length(row));
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void severalCopiesGiveWhatEachGivesAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int rows = c.tokens().rows();
    int pos = c.tokens().maxLength();
    for (HookPoint point : starts(c.config())) {
      try (BaseRun base = gpt2.baseRun(c.tokens(), point)) {
        Tensor[] changed = new Tensor[3];
        for (int i = 0; i < changed.length; i++) {
          // The first copy is unchanged; the second differs in its last position only.
          Tensor noise = c.noise(base.activation().shape(), i == 0 ? 0 : 0.5);
          changed[i] =
              i == 1
                  ? base.activation()
                      .with(Axis.POS, pos - 1, base.activation().plus(noise).at(Axis.POS, pos - 1))
                  : base.activation().plus(noise);
        }
        Continuation together = base.continueWith(stack(changed));
        assertEquals(changed.length, together.copies());
        for (int i = 0; i < changed.length; i++) {
          Continuation alone = base.continueWith(changed[i]);
          for (int row = 0; row < rows; row++) {
            String what = "copy " + i + " row " + row + " at " + point;
            int at = i * rows + row;
            int length = c.tokens().length(row);
            check(c, what + ", logits")
                .sameBits(
                    Reference.rowOf(alone.logits(), row, length),
                    Reference.rowOf(together.logits(), at, length));
            check(c, what + ", KL")
                .sameBits(numbers(c, row), alone.klNats().row(row), together.klNats().row(at));
            check(c, what + ", L2")
                .sameBits(
                    numbers(c, row), alone.l2At(last(c)).row(row), together.l2At(last(c)).row(at));
            check(c, what + ", cross-entropy")
                .sameBits(
                    Reference.numbers(length - 1),
                    alone.crossEntropyNats().row(row),
                    together.crossEntropyNats().row(at));
          }
        }
      }
    }
  }

  private static Tensor stack(Tensor... parts) {
    int size = Math.toIntExact(parts[0].elements());
    float[] all = new float[parts.length * size];
    for (int i = 0; i < parts.length; i++) {
      System.arraycopy(parts[i].toArray(), 0, all, i * size, size);
    }
    int rows = parts[0].shape().size(Axis.BATCH) * parts.length;
    return Tensor.wrap(parts[0].shape().with(Axis.BATCH, rows), all);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void cleanRunIsTheForwardPass(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    ForwardResult full =
        gpt2.forward(c.tokens(), HookPoint.residPre(1).capture(), last(c).capture());
    try (BaseRun base = gpt2.baseRun(c.tokens(), HookPoint.residPre(1))) {
      check(c, "activation").sameBits(full.cache().get(HookPoint.residPre(1)), base.activation());
      check(c, "last stream").sameBits(full.cache().get(last(c)), base.cache().get(last(c)));
      check(c, "logits").sameBits(full.logits(), base.logits());
      for (int row = 0; row < c.tokens().rows(); row++) {
        check(c, "cross-entropy")
            .sameBits(
                Reference.numbers(c.tokens().length(row) - 1),
                gpt2.crossEntropyNats(c.tokens()).row(row),
                base.crossEntropyNats().row(row));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aBaseRunIsNotChangedByContinuingIt(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    try (BaseRun base = gpt2.baseRun(c.tokens(), HookPoint.residMid(0))) {
      Tensor logits = base.logits();
      Tensor changed = base.activation().plus(c.noise(base.activation().shape(), 1));
      Tensor once = base.continueWith(changed).logits();
      base.continueWith(base.activation().with(Axis.POS, 1, changed.at(Axis.POS, 1)));
      check(c, "clean logits").sameBits(logits, base.logits());
      check(c, "continued logits").sameBits(once, base.continueWith(changed).logits());
    }
  }

  /** Clean keys and values are kept between continuations; none may see those of another. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void continuationsOneAfterAnotherGiveWhatEachGivesFirst(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int pos = c.tokens().maxLength();
    int last = c.config().nLayers() - 1;
    List<HookPoint> points =
        List.of(HookPoint.residPre(last), HookPoint.residPre(0), HookPoint.mlpOut(0));
    Map<HookPoint, BaseRun> runs = gpt2.baseRuns(c.tokens(), points);
    // Backwards too, so that what a longer change wrote lies before a shorter one's positions.
    for (int first : new int[] {pos - 1, pos / 2, pos / 2, pos - 1, 1, pos - 1}) {
      for (HookPoint point : points) {
        for (int copies : new int[] {1, 2, 2, 1}) {
          BaseRun run = runs.get(point);
          Tensor[] changed = new Tensor[copies];
          for (int i = 0; i < copies; i++) {
            changed[i] =
                run.activation()
                    .with(
                        Axis.POS,
                        first,
                        c.noise(run.activation().at(Axis.POS, first).shape(), 0.5 + i));
          }
          String what = copies + " copies changed at position " + first + " of " + point;
          try (BaseRun own = gpt2.baseRun(c.tokens(), point)) {
            check(c, what)
                .sameBits(
                    own.continueWith(stack(changed)).logits(),
                    run.continueWith(stack(changed)).logits());
          }
        }
      }
    }
    runs.values().forEach(BaseRun::close);
  }
}
