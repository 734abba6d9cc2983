package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.hook.At;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Site;
import dev.resid.reference.Distributions;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.TensorAssert;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Generation with cached keys and values against full passes over the growing text. */
class GenerationTest extends OnEachCpuBackend {
  private static final Sampling GREEDY = Sampling.greedy();

  private TensorAssert check(ModelCase c, Object what) {
    return check(what + " of " + c, c.seed());
  }

  private static int[] joined(int[] a, int... b) {
    int[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** Returns the most probable token after the ids, by a full pass. */
  private static int best(Gpt2 gpt2, int[] ids, Hook... hooks) {
    Tensor logits = gpt2.forward(TokenBatch.of(ids), hooks).logits().at(Axis.POS, ids.length - 1);
    float[] values = logits.toArray();
    int best = 0;
    for (int v = 1; v < values.length; v++) {
      best = values[v] > values[best] ? v : best;
    }
    return best;
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void cachedGenerationChoosesTheTokensOfFullPasses(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] text = c.row(2);
    int room = c.config().nCtx() - text.length;
    int[] added = gpt2.generator(GREEDY).generate(text, room);
    assertEquals(room, added.length);
    for (int token : added) {
      assertEquals(best(gpt2, text), token, () -> c.toString());
      text = joined(text, token);
    }
  }

  /** Every activation of a cached pass has the bits of the same positions of a full pass. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void everyActivationHasTheBitsOfAFullPass(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] prompt = c.row(3);
    int room = c.config().nCtx() - prompt.length;
    for (List<HookPoint> points : watched(c)) {
      Map<At, Tensor> seen = new HashMap<>();
      Hook[] hooks =
          points.stream()
              .map(
                  p ->
                      p.replace(
                          (x, at) -> {
                            seen.put(at, x);
                            return x;
                          }))
              .toArray(Hook[]::new);
      int[] added = gpt2.generator(GREEDY).generate(prompt, room, hooks);
      int[] text = joined(prompt, Arrays.copyOf(added, added.length - 1));
      var full =
          gpt2.forward(
                  TokenBatch.of(text), points.stream().map(HookPoint::capture).toArray(Hook[]::new))
              .cache();
      assertEquals(points.size() * room, seen.size(), "one call a point and pass");
      for (Map.Entry<At, Tensor> entry : seen.entrySet()) {
        int first = entry.getKey().firstPosition();
        Tensor got = entry.getValue();
        int to = first + got.shape().size(Axis.POS);
        Tensor want = full.get(entry.getKey().point()).slice(Axis.POS, first, to);
        if (want.shape().has(Axis.KEY_POS)) {
          want = want.slice(Axis.KEY_POS, 0, to);
        }
        check(c, entry.getKey()).sameBits(want, got);
      }
    }
  }

  /** All points at once, and all but those that make attention show its pattern. */
  private static List<List<HookPoint>> watched(ModelCase c) {
    List<HookPoint> fused =
        Reference.points(c.config()).stream()
            .filter(p -> p.site() != Site.ATTN_SCORES && p.site() != Site.PATTERN)
            .toList();
    return List.of(Reference.points(c.config()), fused);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void hooksSeeTheTruePosition(ModelCase c) {
    List<At> seen = new ArrayList<>();
    HookPoint point = HookPoint.residPre(1);
    int[] prompt = c.row(3);
    c.on(backend())
        .generator(GREEDY)
        .generate(
            prompt,
            3,
            point.replace(
                (x, at) -> {
                  assertEquals(seen.isEmpty() ? 3 : 1, x.shape().size(Axis.POS));
                  seen.add(at);
                  return x;
                }));
    assertEquals(List.of(new At(point, 0), new At(point, 3), new At(point, 4)), seen);
  }

  /** A hook that depends on the position gives the tokens of full passes with the same hook. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#everyKind")
  void hooksActAsInFullPasses(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    Tensor directions =
        c.noise(
            dev.resid.tensor.Shape.of(
                Axis.POS, c.config().nCtx(), Axis.D_MODEL, c.config().dModel()),
            2);
    Intervention move =
        (x, at) -> {
          Tensor moved = x;
          for (int pos = 0; pos < x.shape().size(Axis.POS); pos++) {
            Tensor direction = directions.at(Axis.POS, at.firstPosition() + pos);
            Tensor there = x.at(Axis.POS, pos);
            moved = moved.with(Axis.POS, pos, there.plus(direction.reshape(there.shape())));
          }
          return moved;
        };
    Hook hook = HookPoint.residPre(1).replace(move);
    int[] text = c.row(2);
    int[] added = gpt2.generator(GREEDY).generate(text, c.config().nCtx() - 2, hook);
    for (int token : added) {
      assertEquals(best(gpt2, text, hook), token, () -> c.toString());
      text = joined(text, token);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void sameSeedGivesTheSameTextAndOtherSeedsOthers(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] prompt = c.row(1);
    int room = c.config().nCtx() - 1;
    List<List<Integer>> texts = new ArrayList<>();
    for (int seed = 0; seed < 40; seed++) {
      Generator generator = gpt2.generator(Sampling.temperature(20, seed));
      int[] text = generator.generate(prompt, room);
      assertArrayEquals(text, generator.generate(prompt, room), c::toString);
      texts.add(Arrays.stream(text).boxed().toList());
    }
    assertTrue(texts.stream().distinct().count() > 10, () -> "few texts: " + texts);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void narrowSamplingIsGreedy(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] prompt = c.row(2);
    int room = c.config().nCtx() - 2;
    int[] greedy = gpt2.generator(GREEDY).generate(prompt, room);
    Sampling hot = Sampling.temperature(5, 3);
    assertArrayEquals(greedy, gpt2.generator(hot.withTopK(1)).generate(prompt, room));
    assertArrayEquals(greedy, gpt2.generator(hot.withTopP(1e-9)).generate(prompt, room));
    assertArrayEquals(greedy, gpt2.generator(Sampling.temperature(1e-6, 3)).generate(prompt, room));
  }

  /** How often each token is drawn agrees with the probabilities of a full pass. */
  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void drawsFollowTheProbabilities(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] prompt = c.row(2);
    double[] logits =
        Reference.doubles(gpt2.forward(TokenBatch.of(prompt)).logits().at(Axis.POS, 1));
    frequencies(c, gpt2, prompt, Sampling.temperature(1.7, 0), probabilities(logits, 1.7, 99, 1));
    frequencies(
        c, gpt2, prompt, Sampling.temperature(1, 0).withTopK(2), probabilities(logits, 1, 2, 1));
    frequencies(
        c,
        gpt2,
        prompt,
        Sampling.temperature(0.8, 0).withTopP(0.6),
        probabilities(logits, 0.8, 99, 0.6));
  }

  private static void frequencies(
      ModelCase c, Gpt2 gpt2, int[] prompt, Sampling sampling, double[] probabilities) {
    int draws = 500;
    int[] counts = new int[probabilities.length];
    for (int seed = 0; seed < draws; seed++) {
      Sampling one =
          new Sampling(sampling.temperature(), sampling.topK(), sampling.topP(), 1000 + seed);
      counts[gpt2.generator(one).generate(prompt, 1)[0]]++;
    }
    for (int v = 0; v < counts.length; v++) {
      double expected = draws * probabilities[v];
      // Five standard deviations of a binomial count; never drawn where the probability is 0.
      double allowed = 5 * Math.sqrt(expected * (1 - probabilities[v])) + (expected > 0 ? 1 : 0);
      assertEquals(expected, counts[v], allowed, "token " + v + " of " + c + " " + sampling);
    }
  }

  /** Softmax at a temperature, then the k largest, then the fewest whose share reaches p. */
  private static double[] probabilities(double[] logits, double temperature, int k, double p) {
    double[] logs =
        Distributions.logProbabilities(Arrays.stream(logits).map(l -> l / temperature).toArray());
    Integer[] order = new Integer[logs.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Double.compare(logs[b], logs[a]));
    int kept = Math.min(k, logs.length);
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += Math.exp(logs[order[i]]);
    }
    double[] result = new double[logs.length];
    double reached = 0;
    for (int i = 0; i < kept && reached < p * total; i++) {
      result[order[i]] = Math.exp(logs[order[i]]);
      reached += result[order[i]];
    }
    double sum = reached;
    return Arrays.stream(result).map(q -> q / sum).toArray();
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void everyTokenIsToldWhenChosenAndAStopTokenEnds(ModelCase c) {
    Gpt2 gpt2 = c.on(backend());
    int[] prompt = c.row(2);
    int room = c.config().nCtx() - 2;
    int[] all = gpt2.generator(GREEDY).generate(prompt, room);
    int stop = all[all.length - 1];
    int before = 0;
    while (all[before] != stop) {
      before++;
    }
    List<Integer> told = new ArrayList<>();
    int[] ended = gpt2.generator(GREEDY).generate(prompt, room, OptionalInt.of(stop), told::add);
    assertArrayEquals(Arrays.copyOf(all, before), ended, c::toString);
    assertEquals(Arrays.stream(ended).boxed().toList(), told);
  }

  @ParameterizedTest
  @MethodSource("dev.resid.model.ModelCase#five")
  void noNewTokensIsAnEmptyAnswer(ModelCase c) {
    int[] full = c.row(c.config().nCtx());
    assertArrayEquals(new int[0], c.on(backend()).generator(GREEDY).generate(full, 0));
  }
}
