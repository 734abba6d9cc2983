package dev.resid.sae.examples;

import static dev.resid.hook.HookPoint.pattern;
import static dev.resid.hook.HookPoint.residPost;
import static dev.resid.hook.HookPoint.residPre;
import static dev.resid.hook.HookPoint.z;
import static dev.resid.sae.SpliceMode.RECONSTRUCTION;
import static dev.resid.sae.SpliceMode.WITH_ERROR;
import static dev.resid.sae.metric.SaeMetric.CE_INCREASE;
import static dev.resid.sae.metric.SaeMetric.L0;
import static dev.resid.sae.metric.TokenScope.ALL;
import static dev.resid.tensor.Axis.BATCH;
import static dev.resid.tensor.Axis.D_HEAD;
import static dev.resid.tensor.Axis.D_MODEL;
import static dev.resid.tensor.Axis.HEAD;
import static dev.resid.tensor.Axis.ONE;
import static dev.resid.tensor.Axis.OUT;
import static dev.resid.tensor.Axis.POS;

import dev.resid.analysis.Ablation;
import dev.resid.analysis.ActivationPatching;
import dev.resid.analysis.Attribution;
import dev.resid.analysis.DirectLogitAttribution;
import dev.resid.analysis.LogitLens;
import dev.resid.analysis.LogitReadout;
import dev.resid.analysis.LogitsMetric;
import dev.resid.analysis.ResidualStack;
import dev.resid.analysis.ResidualStack.Split;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Positions;
import dev.resid.hub.HubCache;
import dev.resid.hub.HubName;
import dev.resid.io.DType;
import dev.resid.io.NpzWriter;
import dev.resid.io.SafetensorsWriter;
import dev.resid.metric.KlDivergence;
import dev.resid.metric.TopTokens;
import dev.resid.model.BaseRun;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gradients;
import dev.resid.model.PositionValues;
import dev.resid.model.Sampling;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.model.WeightTransform;
import dev.resid.model.WeightTransforms;
import dev.resid.progress.Progress;
import dev.resid.sae.FeatureEdits;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.Splice;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureLens;
import dev.resid.sae.dictionary.TokenMask;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.train.SaeLoss;
import dev.resid.sae.train.SaeTrainer;
import dev.resid.sae.train.SaeTrainingPlan;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.SpecialTokens;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Every call that docs/from-python.md shows in Java stands here, so all of them compile; those that
 * need no weights of others also run.
 */
final class FromPythonExample {
  private FromPythonExample() {}

  /** What needs files or the network, and is only compiled. */
  static void loading(Backend backend, Path folder) throws IOException {
    Gpt2 gpt2 = Gpt2.load(Path.of("models/gpt2"), backend);
    gpt2 = Gpt2.load(folder, backend, WeightTransforms.transformerLens());
    HubCache cache = HubCache.fromEnvironment();
    HubName name = HubName.parse("openai-community/gpt2");
    Path files = cache.download(name, Gpt2Checkpoint.hubFiles(), Progress.none()).folder();
    Gpt2 fetched = Gpt2.load(files, backend);
    String id = "gpt2-small-res-jb/blocks.8.hook_resid_pre";
    SaeCatalogue.Entry entry = SaeCatalogue.load().named(id).orElseThrow();
    HubName publisher = HubName.parse(entry.repository());
    var its = cache.download(publisher, entry.hubFiles(), Progress.none());
    Sae published = SaeCheckpoint.load(entry.in(its), backend);
    Sae sae = SaeCheckpoint.load(Path.of("saes/blocks.8.hook_resid_pre"), backend);
    sae.requireFits(gpt2);
    published.requireFits(fetched);
  }

  /** Runs and hooks. */
  static double running(Backend backend) throws IOException {
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch tokens = gpt2.tokenizer().encode(SpecialTokens.ALLOW, "<|endoftext|>The captain");
    Tensor logits = gpt2.forward(tokens).logits();
    ForwardResult run = gpt2.forward(tokens, residPost(3).capture(), pattern(2).capture());
    Tensor resid = run.cache().get(HookPoint.parse("blocks.3.hook_resid_post"));
    ForwardResult all = gpt2.forward(tokens, Capture.each(HookPoint.all(gpt2.config().nLayers())));
    Capture[] patterns =
        Capture.each(HookPoint.matching(gpt2.config().nLayers(), "blocks.*.attn.hook_pattern"));
    ActivationCache some = gpt2.capture(tokens, residPre(3).capture(Positions.of(2)));
    ActivationCache early = gpt2.capture(tokens, residPre(3).capture());
    Intervention twice = (x, at) -> x.times(2);
    Tensor doubled = gpt2.forward(tokens, residPre(3).replace(twice)).logits();
    Tensor other = resid;
    Tensor patched = gpt2.forward(tokens, residPost(3).replace((x, at) -> other)).logits();
    Tensor one =
        gpt2.forward(tokens, residPost(3).replace((x, at) -> x.with(POS, 2, other.at(POS, 2))))
            .logits();
    Tensor ablated = gpt2.forward(tokens, z(2).replace(Ablation.zeroAt(HEAD, 0))).logits();
    Tensor mean = Ablation.mean(resid, tokens);
    Tensor meanAblated = gpt2.forward(tokens, residPost(3).replace(Ablation.mean(mean))).logits();
    Tensor means = Ablation.mean(gpt2.capture(tokens, z(2).capture()).get(z(2)), tokens);
    Intervention oneHead = Ablation.mean(means).onlyAt(HEAD, 0);
    Hook[] spliced = {z(2).replace(oneHead), z(3).replace(twice.onlyAt(HEAD, 3))};
    Tensor confined =
        gpt2.forward(tokens, Hook.join(spliced, residPost(3).capture())).cache().get(residPost(3));
    Tensor few = gpt2.forward(tokens, residPre(3).replace(twice.onlyAt(POS, 1, 2))).logits();
    List<String> texts = gpt2.tokenizer().texts(tokens.row(0));
    int sea = gpt2.tokenizer().singleToken(" sea");
    TextCorpus corpus = TextCorpus.of(texts, gpt2.tokenizer());
    PositionValues loss = gpt2.crossEntropyNats(tokens);
    double[] kl = KlDivergence.nats(logits, ablated);
    String text = gpt2.generator(Sampling.greedy()).generate("Once upon a time", 8);
    String drawn =
        gpt2.generator(Sampling.temperature(0.8, 1).withTopK(40)).generate("Once upon", 4);
    int last = tokens.length(0) - 1;
    var best = TopTokens.at(logits, 0, last, 5, gpt2.tokenizer());
    double effect = 0;
    try (BaseRun base = gpt2.baseRun(tokens, residPre(3))) {
      Tensor moved = base.activation().times(1.1);
      effect += base.continueWith(moved).meanKlNats();
      effect += base.continueWith(Ablation.zero()).meanKlNats();
    }
    return effect
        + patterns.length
        + confined.elements()
        + few.elements()
        + texts.size()
        + sea
        + corpus.tokens()
        + all.cache().points().size()
        + some.points().size()
        + early.points().size()
        + doubled.elements()
        + patched.elements()
        + one.elements()
        + meanAblated.elements()
        + loss.mean()
        + kl[0]
        + text.length()
        + drawn.length()
        + best.size();
  }

  /** Arithmetic. */
  static double tensors(Backend backend) throws IOException {
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch tokens = gpt2.tokenizer().encode("The captain looked at the sea");
    Tensor x = gpt2.capture(tokens, residPre(2).capture()).get(residPre(2));
    Shape shape = x.shape();
    Tensor v = x.at(BATCH, 0).at(POS, tokens.length(0) - 1);
    Tensor last = x.at(BATCH, 0).at(POS, tokens.length(0) - 1);
    List<Tensor> layers = List.of(x.plus(v), x.minus(v), x.times(v));
    Tensor stacked = Tensor.stack(new Axis("layer"), layers);
    Tensor W_U = gpt2.weights().lens(Weight.of(WeightNames.W_U));
    Tensor logits = x.dot(W_U, D_MODEL);
    Tensor W_V = gpt2.weights().lens(Weight.of(WeightNames.W_V, 2));
    Tensor W_O = gpt2.weights().lens(Weight.of(WeightNames.W_O, 2));
    Tensor circuits = W_V.dot(W_O.renamed(D_MODEL, OUT), D_HEAD);
    Tensor d = Tensor.stack(ONE, List.of(v.times(1 / v.norm(D_MODEL).get())));
    Tensor without = x.minus(x.dot(d, D_MODEL).dot(d, ONE));
    if (Math.abs(without.dot(d, D_MODEL).get(0, 3, 0)) > 1e-3) {
      throw new AssertionError("the direction is still there");
    }
    return shape.rank()
        + x.get(0, 2, 5)
        + x.at(POS, 2).elements()
        + x.slice(POS, 2, 5).elements()
        + last.elements()
        + stacked.elements()
        + logits.elements()
        + circuits.elements()
        + x.norm(D_MODEL).elements()
        + x.mean(BATCH).elements()
        + x.sum(POS).elements();
  }

  /** Weights, gradients and analyses. */
  static double analysing(Backend backend) throws IOException {
    Gpt2 gpt2 = Gpt2.embedded(backend);
    TokenBatch clean = gpt2.tokenizer().encode("The captain looked at the sea");
    TokenBatch corrupted = gpt2.tokenizer().encode("The captain looked at the dog");
    Tensor W_O = gpt2.weights().lens(Weight.of(WeightNames.W_O, 2));
    Tensor W_U = gpt2.weights().lens(Weight.of(WeightNames.W_U));
    Tensor edited = W_O.times(0.5);
    Gpt2 other =
        Gpt2.of(
            gpt2.weights().with(Weight.of(WeightNames.W_O, 2), edited), gpt2.tokenizer(), backend);
    WeightTransforms folded = WeightTransforms.of(WeightTransform.FOLD_LAYER_NORM);
    LogitReadout difference = LogitReadout.differences(gpt2, new int[] {13}, new int[] {11});
    ActivationCache kept = gpt2.capture(clean, residPre(2).capture());
    ActivationPatching patching = new ActivationPatching(gpt2, corrupted, kept, difference, 4);
    double[][] byPosition =
        patching.run(residPre(2), ActivationPatching.everyPosition(corrupted), done -> {});
    int end = clean.length(0) - 1;
    float[] target = gpt2.forward(clean).logits().at(BATCH, 0).at(POS, end).toArray();
    LogitsMetric metric = (row, last) -> KlDivergence.nats(target, last);
    ActivationPatching byKl = new ActivationPatching(gpt2, corrupted, kept, metric, 4);
    double restored = byKl.run(residPre(2), List.of(ActivationPatching.Patch.at(5)), d -> {})[0][0];
    Attribution attribution =
        Attribution.of(gpt2, corrupted, clean, difference, List.of(residPre(2)));
    ResidualStack stack = ResidualStack.of(gpt2, clean, Split.COMPONENTS);
    DirectLogitAttribution direct = DirectLogitAttribution.of(stack, difference);
    double read = 0;
    try (LogitLens lens = LogitLens.of(gpt2, clean)) {
      Tensor early = lens.at(residPre(2)).logits();
      read += early.elements();
    }
    try (Tape tape = gpt2.record(clean, residPre(2).capture())) {
      Gradients gradients = tape.backward(Wanted.activations(residPre(2)), Seed.crossEntropy());
      read += gradients.activation(residPre(2)).elements();
    }
    return read
        + restored
        + other.config().nLayers()
        + W_O.elements()
        + W_U.elements()
        + folded.transforms().size()
        + byPosition.length
        + attribution.at(residPre(2), 0, 1)
        + direct.atLast(0)[0];
  }

  /** SAEs. */
  static double saes(Gpt2 gpt2, Sae sae, TokenBatch tokens, Path folder) throws IOException {
    Tensor x = gpt2.capture(tokens, sae.hookPoint().capture()).get(sae.hookPoint());
    SparseFeatures features = sae.encode(x);
    Tensor dense = features.toDense();
    List<SparseFeatures.Active> top = features.largest(5, 3);
    Tensor y = sae.decode(features, x);
    Tensor same = sae.reconstruct(x);
    Tensor W_dec = sae.weights().get(SaeWeight.W_dec);
    int dSae = sae.config().dSae();
    Hook[] spliced = Sae.hooks(gpt2, Splice.of(RECONSTRUCTION), sae);
    Tensor logits = gpt2.forward(tokens, spliced).logits();
    Hook[] withError = Sae.hooks(gpt2, Splice.of(WITH_ERROR), sae);
    Tensor moved = x.plus(sae.decoderRow(3).renamed(OUT, D_MODEL).times(5));
    Splice off = Splice.of(WITH_ERROR).edited(FeatureEdits.zero(3));
    Splice steered = Splice.of(WITH_ERROR).edited(FeatureEdits.steer(3, 5));
    SaeReport report = new SaeEvaluator(gpt2, sae).report(tokens);
    double l0 = report.get(L0, ALL);
    double increase = report.get(CE_INCREASE, ALL);
    var scan = FeatureActivations.scan(gpt2, sae, tokens, 3).getFirst();
    var promoted = new FeatureLens(gpt2, TokenMask.outliers(gpt2)).view(sae, 3, 5).promoted();
    SaeCheckpoint.save(sae, DType.F32, folder);
    new SafetensorsWriter().add("resid_pre", x).write(folder.resolve("x.safetensors"));
    new NpzWriter().add("resid_pre", x).write(folder.resolve("x.npz"));
    return dense.elements()
        + top.size()
        + y.elements()
        + same.elements()
        + W_dec.elements()
        + dSae
        + logits.elements()
        + withError.length
        + moved.elements()
        + off.edits().size()
        + steered.edits().size()
        + l0
        + increase
        + scan.activeTokens()
        + promoted.size();
  }

  /** Training, which is only compiled: it takes text, and minutes. */
  static Sae training(Gpt2 gpt2, TextCorpus text, Path folder) throws IOException {
    LearningRate rate = new LearningRate(4e-4, 100, 2_000, 0.1);
    SaeTrainingPlan plan = SaeTrainingPlan.of(residPre(3), 768, SaeLoss.local(4), rate, 16, 128, 1);
    try (SaeTrainer trainer = SaeTrainer.startOrResume(plan, gpt2, text, folder)) {
      trainer.run(folder, 100, Progress.none());
      return trainer.sae("mine");
    }
  }
}
