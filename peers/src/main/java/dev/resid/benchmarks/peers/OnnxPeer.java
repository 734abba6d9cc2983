package dev.resid.benchmarks.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.resid.benchmarks.peers.OnnxGpt2.Operators;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.ForwardWork;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Config;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime with graphs and weights that are generated here. */
public final class OnnxPeer implements Peer {
  private static final String VERSION = "ONNX Runtime 1.23.2";

  /** Called by the service loader. */
  public OnnxPeer() {}

  @Override
  public String name() {
    return VERSION;
  }

  @Override
  public List<Engine> engines(Workload workload, int threads) {
    try {
      return switch (workload) {
        case ProductWork work -> List.of(product(work, threads));
        case ForwardWork work ->
            List.of(
                forward(work, threads, Operators.FUSED),
                forward(work, threads, Operators.STANDARD));
        case SweepWork work -> sweep(work, threads);
        case SaeWork work -> List.of(sae(work, threads));
        case DecodeWork work ->
            List.of(work.engine(name() + ", fused", new OnnxDecoder(work.weights(), threads)));
        default -> List.of();
      };
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
    }
  }

  private Engine product(ProductWork work, int threads) throws OrtException {
    OnnxGraph graph = new OnnxGraph();
    int rows = work.x().shape().sizes()[0];
    int out = work.bias().shape().last();
    String x = graph.input("x", rows, work.x().shape().last());
    String bias = graph.weight("bias", work.bias());
    String last = "";
    int compared = work.weights().size() - 1;
    for (int i = 0; i < work.weights().size(); i++) {
      Tensor values = work.weights().get(i);
      String w = graph.weight("w" + i, i == compared ? values : unlike(values, i));
      last = graph.node("Add", graph.node("MatMul", x, w), bias);
      graph.output(last, rows, out);
    }
    OnnxEngine engine = new OnnxEngine(name(), graph, last, threads);
    engine.argument(x, work.x());
    engine.sampled(all -> work.part(all, new float[out]));
    return engine;
  }

  // ONNX Runtime keeps weights that are equal once, and reads them from a cache then.
  private static Tensor unlike(Tensor w, int i) {
    float[] values = w.toArray();
    values[0] += i;
    return Tensor.of(w.shape(), values);
  }

  private Engine forward(ForwardWork work, int threads, Operators operators) throws OrtException {
    TokenBatch tokens = work.tokens();
    int batch = tokens.rows();
    int pos = tokens.maxLength();
    Gpt2Config config = work.weights().config();
    OnnxGraph graph = new OnnxGraph();
    OnnxGpt2 gpt2 = new OnnxGpt2(graph, work.weights(), operators, batch, pos);
    String ids = graph.ids("ids", batch, pos);
    String logits = gpt2.logits(gpt2.blocks(gpt2.embed(ids), 0, config.nLayers()));
    graph.output(logits, batch, pos, config.dVocab());
    String kind = operators == Operators.FUSED ? ", fused" : ", standard operators";
    OnnxEngine engine = new OnnxEngine(name() + kind, graph, logits, threads);
    engine.argument(ids, tokens);
    engine.sampled(all -> Arrays.copyOf(all, work.checked()));
    return engine;
  }

  // Both ways are given the clean run's log-probabilities and last stream, computed once.
  private List<Engine> sweep(SweepWork work, int threads) throws OrtException {
    TokenBatch tokens = work.tokens();
    Gpt2Config config = work.weights().config();
    int batch = tokens.rows();
    int pos = tokens.maxLength();
    OnnxGraph graph = new OnnxGraph();
    OnnxGpt2 gpt2 = new OnnxGpt2(graph, work.weights(), Operators.FUSED, batch, pos);
    String last = gpt2.blocks(gpt2.embed(graph.ids("ids", batch, pos)), 0, config.nLayers());
    String base = logSoftmax(graph, gpt2.logits(last));
    graph.output(base, batch, pos, config.dVocab());
    graph.output(last, batch, pos, config.dModel());
    try (OnnxEngine clean = new OnnxEngine("", graph, base, threads)) {
      clean.argument("ids", tokens);
      OrtSession.Result results = clean.session.run(clean.arguments);
      OnnxEngine continued = length(work, threads, Start.LAYER);
      OnnxEngine whole = length(work, threads, Start.TOKENS);
      for (OnnxEngine engine : List.of(continued, whole)) {
        engine.borrow("base", (OnnxTensor) results.get(base).orElseThrow());
        engine.borrow("last", (OnnxTensor) results.get(last).orElseThrow());
      }
      whole.kept = results;
      return List.of(continued, whole);
    }
  }

  /** Where a length begins. */
  private enum Start {
    /** At the changed stream. */
    LAYER,
    /** At the tokens. */
    TOKENS
  }

  private OnnxEngine length(SweepWork work, int threads, Start start) throws OrtException {
    TokenBatch tokens = work.tokens();
    Gpt2Config config = work.weights().config();
    int batch = tokens.rows();
    int pos = tokens.maxLength();
    OnnxGraph graph = new OnnxGraph();
    OnnxGpt2 gpt2 = new OnnxGpt2(graph, work.weights(), Operators.FUSED, batch, pos);
    String x =
        start == Start.LAYER
            ? graph.input("x", batch, pos, config.dModel())
            : gpt2.blocks(gpt2.embed(graph.ids("ids", batch, pos)), 0, work.layer());
    String d = graph.input("d", batch, pos, config.dModel());
    String alpha = graph.input("alpha", 1);
    String base = graph.input("base", batch, pos, config.dVocab());
    String last = graph.input("last", batch, pos, config.dModel());
    String changed =
        gpt2.blocks(
            graph.node("Add", x, graph.node("Mul", d, alpha)), work.layer(), config.nLayers());
    String l2 = reduced(graph, "ReduceL2", graph.node("Sub", changed, last));
    String q = logSoftmax(graph, gpt2.logits(changed));
    String kl =
        reduced(
            graph,
            "ReduceSum",
            graph.node("Mul", graph.node("Exp", base), graph.node("Sub", base, q)));
    String both =
        graph.node(
            OnnxGraph.STANDARD, "Concat", List.of(kl, l2), OnnxGraph.Attribute.of("axis", 0L));
    graph.output(both, 2L * batch, pos);
    String from = start == Start.LAYER ? ", from layer " + work.layer() : ", whole model";
    OnnxEngine engine = new OnnxEngine(name() + ", fused" + from, graph, both, threads);
    if (start == Start.LAYER) {
      engine.argument(x, work.clean());
    } else {
      engine.argument("ids", tokens);
    }
    engine.argument(d, work.directions());
    engine.argument(alpha, new float[] {(float) work.length(0)}, 1);
    engine.sampled(
        all -> {
          double[] klNats = new double[pos];
          double[] distance = new double[pos];
          for (int t = 0; t < pos; t++) {
            klNats[t] = all[t];
            distance[t] = all[batch * pos + t];
          }
          return work.part(klNats, distance);
        });
    return engine;
  }

  private static String reduced(OnnxGraph graph, String operator, String x) {
    return graph.node(
        OnnxGraph.STANDARD,
        operator,
        List.of(x, graph.numbers(2)),
        OnnxGraph.Attribute.of("keepdims", 0L));
  }

  private static String logSoftmax(OnnxGraph graph, String logits) {
    return graph.node(
        OnnxGraph.STANDARD, "LogSoftmax", List.of(logits), OnnxGraph.Attribute.of("axis", 2L));
  }

  private Engine sae(SaeWork work, int threads) throws OrtException {
    OnnxGraph graph = new OnnxGraph();
    int rows = work.x().shape().sizes()[0];
    int width = work.x().shape().last();
    String x = graph.input("x", rows, width);
    String bd = graph.weight("b_dec", work.weights().get(SaeWeight.b_dec));
    String f =
        graph.node(
            "MatMul",
            graph.node("Sub", x, bd),
            graph.weight("W_enc", work.weights().get(SaeWeight.W_enc)));
    f =
        graph.node(
            "Relu",
            graph.node("Add", f, graph.weight("b_enc", work.weights().get(SaeWeight.b_enc))));
    String out =
        graph.node(
            "Add",
            graph.node("MatMul", f, graph.weight("W_dec", work.weights().get(SaeWeight.W_dec))),
            bd);
    graph.output(out, rows, width);
    OnnxEngine engine = new OnnxEngine(name(), graph, out, threads);
    engine.argument(x, work.x());
    engine.sampled(all -> Arrays.copyOf(all, work.checked()));
    return engine;
  }

  /** Returns a session of a graph. */
  static OrtSession session(OrtEnvironment environment, OnnxGraph graph, int threads)
      throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      // Its threads would wait in a loop while others are timed.
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      return environment.createSession(graph.toBytes(), options);
    }
  }

  /** A session that is run with the same arguments again and again. */
  private static final class OnnxEngine implements Engine {
    /** How many numbers at the beginning of a result are looked at, at the most. */
    private static final int SAMPLED = 1 << 20;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final String name;
    private final String output;
    private final OrtSession session;
    private final Map<String, OnnxTensor> arguments = new HashMap<>();
    private final Set<String> borrowed = new HashSet<>();
    private Sampler sampler = all -> all;
    private OrtSession.Result kept;
    private OrtSession.Result result;

    /** Takes what is compared from a result. */
    @FunctionalInterface
    private interface Sampler {
      float[] of(float[] result);
    }

    OnnxEngine(String name, OnnxGraph graph, String output, int threads) throws OrtException {
      this.name = name;
      this.output = output;
      session = session(environment, graph, threads);
    }

    void argument(String input, Tensor tensor) throws OrtException {
      int[] sizes = tensor.shape().sizes();
      argument(input, tensor.toArray(), Arrays.stream(sizes).asLongStream().toArray());
    }

    void argument(String input, float[] values, long... dims) throws OrtException {
      arguments.put(input, OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), dims));
    }

    void argument(String input, TokenBatch tokens) throws OrtException {
      long[] ids = Arrays.stream(tokens.padded(0)).asLongStream().toArray();
      long[] dims = {tokens.rows(), tokens.maxLength()};
      arguments.put(input, OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), dims));
    }

    /** Takes an argument that another engine closes. */
    void borrow(String input, OnnxTensor tensor) {
      arguments.put(input, tensor);
      borrowed.add(input);
    }

    void sampled(Sampler how) {
      sampler = how;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void run() {
      if (result != null) {
        result.close();
      }
      try {
        result = session.run(arguments);
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
      }
    }

    @Override
    public float[] sample() {
      FloatBuffer all = ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer();
      float[] some = new float[Math.min(all.remaining(), SAMPLED)];
      all.get(some);
      return sampler.of(some);
    }

    @Override
    public void close() {
      try {
        if (result != null) {
          result.close();
        }
        session.close();
      } catch (OrtException e) {
        throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
      }
      arguments.keySet().removeAll(borrowed);
      arguments.values().forEach(OnnxTensor::close);
      if (kept != null) {
        kept.close();
      }
    }
  }
}
