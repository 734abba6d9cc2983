package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.At;
import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Positions;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Looking changes nothing, and replacing changes what follows and nothing else. */
class HookPropertiesTest extends OnEachCpuBackend {
  private static Capture[] everything(ModelCase c) {
    return Reference.points(c.config()).stream().map(HookPoint::capture).toArray(Capture[]::new);
  }

  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void capturingAtAnySiteChangesNoBit(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor clean = gpt2.forward(c.tokens()).logits();
    ForwardResult all = gpt2.forward(c.tokens(), everything(c));
    check(c, "logits with every capture").sameBits(clean, all.logits());
    for (HookPoint point : Reference.points(c.config())) {
      ForwardResult one = gpt2.forward(c.tokens(), point.capture());
      check(c, "logits with a capture at " + point).sameBits(clean, one.logits());
      check(c, point).sameBits(all.cache().get(point), one.cache().get(point));
      check(c, point + " without the blocks after it")
          .sameBits(all.cache().get(point), gpt2.capture(c.tokens(), point.capture()).get(point));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void replacingByItselfAtAnySiteChangesNoBit(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor clean = gpt2.forward(c.tokens()).logits();
    List<Hook> all = new ArrayList<>();
    for (HookPoint point : Reference.points(c.config())) {
      Hook copy = point.replace((x, at) -> Tensor.of(x.shape(), x.toArray()));
      all.add(copy);
      check(c, "copy at " + point).sameBits(clean, gpt2.forward(c.tokens(), copy).logits());
      check(c, "identity at " + point)
          .sameBits(clean, gpt2.forward(c.tokens(), point.replace((x, at) -> x)).logits());
    }
    check(c, "copies everywhere")
        .sameBits(clean, gpt2.forward(c.tokens(), all.toArray(Hook[]::new)).logits());
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aChangeOfLengthZeroChangesNoBit(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    HookPoint point = HookPoint.residPre(1);
    HookPoint last = HookPoint.residPost(c.config().nLayers() - 1);
    try (BaseRun base = gpt2.baseRun(c.tokens(), point)) {
      Tensor direction = c.noise(base.activation().shape(), 1);
      Tensor changed = base.activation().plus(direction.times(0));
      Hook hook = point.replace((x, at) -> x.plus(direction.times(0)));
      check(c, "logits")
          .sameBits(gpt2.forward(c.tokens()).logits(), gpt2.forward(c.tokens(), hook).logits());
      Continuation same = base.continueWith(changed);
      for (int row = 0; row < c.tokens().rows(); row++) {
        for (int pos = 0; pos < c.tokens().length(row); pos++) {
          assertEquals(0, same.klNats().get(row, pos), c::toString);
          assertEquals(0, same.l2At(last).get(row, pos), c::toString);
        }
      }
    }
  }

  /** A changed activation reaches later positions only, and sites after it only. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aChangeAtAPositionLeavesEarlierPositionsAndEarlierSitesAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    TokenBatch tokens = TokenBatch.of(c.row(c.config().nCtx()));
    ForwardResult clean = gpt2.forward(tokens, everything(c));
    int changed = tokens.maxLength() / 2;
    for (HookPoint point : Reference.points(c.config())) {
      List<Hook> hooks = new ArrayList<>();
      hooks.add(point.replace(atPosition(changed)));
      hooks.addAll(List.of(everything(c)));
      ForwardResult run = gpt2.forward(tokens, hooks.toArray(Hook[]::new));
      check(c, "logits before a change at " + point)
          .sameBits(
              Reference.rowOf(clean.logits(), 0, changed),
              Reference.rowOf(run.logits(), 0, changed));
      for (HookPoint seen : Reference.points(c.config())) {
        Tensor before = clean.cache().get(seen);
        Tensor after = run.cache().get(seen);
        check(c, seen + " before position " + changed + " changed at " + point)
            .sameBits(Reference.rowOf(before, 0, changed), Reference.rowOf(after, 0, changed));
        if (seen.isBefore(point)) {
          check(c, seen + " with a change at " + point).sameBits(before, after);
        }
      }
      assertTrue(!clean.cache().get(point).sameBits(run.cache().get(point)), "nothing was changed");
    }
  }

  /** Returns an intervention that moves the finite values of one position. */
  private static Intervention atPosition(int pos) {
    return (x, at) ->
        x.with(
            Axis.POS,
            pos,
            x.at(Axis.POS, pos).map(v -> Float.isFinite(v) ? 0.75f * v + 0.125f : v));
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void aChangeAtOneRowLeavesTheOtherRowsAlone(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor clean = gpt2.forward(c.tokens()).logits();
    int changed = c.tokens().rows() - 1;
    for (HookPoint point : Reference.points(c.config())) {
      Intervention intervention =
          (x, at) ->
              x.with(
                  Axis.BATCH,
                  changed,
                  x.at(Axis.BATCH, changed).map(v -> Float.isFinite(v) ? 0.75f * v + 0.125f : v));
      Tensor after = gpt2.forward(c.tokens(), point.replace(intervention)).logits();
      for (int row = 0; row < changed; row++) {
        int length = c.tokens().length(row);
        check(c, "row " + row + " with a change of another at " + point)
            .sameBits(Reference.rowOf(clean, row, length), Reference.rowOf(after, row, length));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void hooksAtOnePointActInTheOrderOfTheArguments(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (HookPoint point : Reference.points(c.config())) {
      if (point.site() == Site.ATTN_SCORES) {
        continue; // -inf + 1 and 2·-inf do not show an order
      }
      Tensor clean = gpt2.capture(c.tokens(), point.capture()).get(point);
      Hook plusOne = point.replace((x, at) -> x.map(v -> v + 1));
      Hook twice = point.replace((x, at) -> x.times(2));
      check(c, "capture first at " + point)
          .sameBits(clean, gpt2.forward(c.tokens(), point.capture(), plusOne).cache().get(point));
      check(c, "plus one, twice at " + point)
          .sameBits(
              exists(c, clean, point).apply(clean.map(v -> (v + 1) * 2)),
              gpt2.forward(c.tokens(), plusOne, twice, point.capture()).cache().get(point));
      check(c, "twice, plus one at " + point)
          .sameBits(
              exists(c, clean, point).apply(clean.map(v -> v * 2 + 1)),
              gpt2.forward(c.tokens(), twice, plusOne, point.capture()).cache().get(point));
    }
  }

  /** Returns a function that puts the zeros a capture has past the end of a row. */
  private static java.util.function.UnaryOperator<Tensor> exists(
      ModelCase c, Tensor clean, HookPoint point) {
    return changed -> {
      Tensor result = changed;
      for (int row = 0; row < c.tokens().rows(); row++) {
        Tensor one = result.at(Axis.BATCH, row);
        for (int pos = c.tokens().length(row); pos < c.tokens().maxLength(); pos++) {
          one = one.with(Axis.POS, pos, one.at(Axis.POS, pos).times(0));
        }
        result = result.with(Axis.BATCH, row, one);
      }
      return result;
    };
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void capturedPositionsArePartsOfTheWhole(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int length = c.tokens().maxLength();
    for (HookPoint point : Reference.points(c.config())) {
      Tensor all = gpt2.capture(c.tokens(), point.capture()).get(point);
      Tensor end =
          gpt2.capture(c.tokens(), point.capture(Positions.range(length / 2, length))).get(point);
      check(c, point + " from the middle").sameBits(all.slice(Axis.POS, length / 2, length), end);
      Tensor reversed = gpt2.capture(c.tokens(), point.capture(Positions.of(1, 0))).get(point);
      check(c, point + " at 1").sameBits(all.at(Axis.POS, 1), reversed.at(Axis.POS, 0));
      check(c, point + " at 0").sameBits(all.at(Axis.POS, 0), reversed.at(Axis.POS, 1));
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void interventionsSeeThePointTheShapeAndTheFirstPosition(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    List<At> seen = new ArrayList<>();
    List<Hook> hooks = new ArrayList<>();
    for (HookPoint point : Reference.points(c.config())) {
      hooks.add(
          point.replace(
              (x, at) -> {
                seen.add(at);
                assertEquals(
                    point.site().axes(), x.shape().dims().stream().map(d -> d.axis()).toList());
                assertEquals(c.tokens().rows(), x.shape().size(Axis.BATCH));
                assertEquals(c.tokens().maxLength(), x.shape().size(Axis.POS));
                return x;
              }));
    }
    gpt2.forward(c.tokens(), hooks.toArray(Hook[]::new));
    assertEquals(
        Reference.points(c.config()).stream().map(p -> new At(p, 0)).toList(),
        seen,
        "every point once, in the order of the pass");
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void whatAnInterventionWasGivenStaysAsItWas(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    for (HookPoint point : Reference.points(c.config())) {
      List<Tensor> given = new ArrayList<>();
      List<Tensor> copies = new ArrayList<>();
      Intervention keep =
          (x, at) -> {
            given.add(x);
            copies.add(Tensor.of(x.shape(), x.toArray()));
            return x.map(v -> Float.isFinite(v) ? v + 1 : v);
          };
      ForwardResult run = gpt2.forward(c.tokens(), point.replace(keep), point.capture());
      gpt2.forward(c.tokens());
      check(c, point + " as it was given").sameBits(copies.getFirst(), given.getFirst());
      assertTrue(!run.cache().get(point).sameBits(given.getFirst()));
    }
  }
}
