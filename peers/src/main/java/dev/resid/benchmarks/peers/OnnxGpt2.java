package dev.resid.benchmarks.peers;

import dev.resid.benchmarks.peers.OnnxGraph.Attribute;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import java.util.Arrays;
import java.util.List;

// GPT-2 as nodes of a graph. STANDARD has the operators of ONNX alone, as an exporter writes them;
// FUSED has ONNX Runtime's own for causal attention, for a sum with its layer norm, and for a bias
// with its GELU, as its transformer optimiser writes them.
final class OnnxGpt2 {
  private static final float MASKED = -1e9f;

  private final OnnxGraph graph;
  private final Gpt2Weights weights;
  private final Gpt2Config config;
  private final Operators operators;
  private final int batch;
  private final int pos;
  private List<String> past = List.of();
  private List<String> present = List.of();

  /** Which operators are used. */
  enum Operators {
    /** Those of ONNX. */
    STANDARD,
    /** Those that ONNX Runtime adds, where there are some. */
    FUSED
  }

  OnnxGpt2(OnnxGraph graph, Gpt2Weights weights, Operators operators, int batch, int pos) {
    this.graph = graph;
    this.weights = weights;
    this.config = weights.config();
    this.operators = operators;
    this.batch = batch;
    this.pos = pos;
  }

  /** Returns the stream [batch, pos, d_model] at the start. */
  String embed(String ids) {
    float[] all = weights.get(Weight.of(WeightNames.W_pos)).toArray();
    String position =
        graph.weight("W_pos", Arrays.copyOf(all, pos * config.dModel()), pos, config.dModel());
    return graph.node("Add", graph.node("Gather", weight(WeightNames.W_E), ids), position);
  }

  /** Returns the stream after some blocks. */
  String blocks(String stream, int from, int to) {
    String x = stream;
    for (int layer = from; layer < to; layer++) {
      String h = norm(x, WeightNames.ln1_gamma, WeightNames.ln1_beta, layer);
      String w =
          graph.weight(
              "W_QKV" + layer,
              TorchGpt2.fused(weights, layer, WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V));
      String b =
          graph.weight(
              "b_QKV" + layer,
              TorchGpt2.fused(weights, layer, WeightNames.b_Q, WeightNames.b_K, WeightNames.b_V));
      String z = operators == Operators.FUSED ? fusedAttention(h, w, b, layer) : attention(h, w, b);
      String out = graph.node("MatMul", z, weight(WeightNames.W_O, layer));
      String mid;
      String h2;
      if (operators == Operators.FUSED) {
        List<String> both =
            graph.nodes(
                OnnxGraph.MICROSOFT,
                "SkipLayerNormalization",
                List.of(
                    out,
                    x,
                    weight(WeightNames.ln2_gamma, layer),
                    weight(WeightNames.ln2_beta, layer),
                    weight(WeightNames.b_O, layer)),
                4,
                Attribute.of("epsilon", 1e-5f));
        h2 = both.get(0);
        mid = both.get(3);
      } else {
        mid = graph.node("Add", x, graph.node("Add", out, weight(WeightNames.b_O, layer)));
        h2 = norm(mid, WeightNames.ln2_gamma, WeightNames.ln2_beta, layer);
      }
      String m = graph.node("MatMul", h2, weight(WeightNames.W_in, layer));
      m = activation(m, weight(WeightNames.b_in, layer));
      m = graph.node("MatMul", m, weight(WeightNames.W_out, layer));
      x = graph.node("Add", mid, graph.node("Add", m, weight(WeightNames.b_out, layer)));
    }
    return x;
  }

  private String activation(String m, String bias) {
    return operators == Operators.FUSED
        ? graph.node(OnnxGraph.MICROSOFT, "FastGelu", List.of(m, bias))
        : graph.node(
            OnnxGraph.STANDARD,
            "Gelu",
            List.of(graph.node("Add", m, bias)),
            Attribute.of("approximate", "tanh"));
  }

  private String fusedAttention(String h, String w, String b, int layer) {
    Attribute[] attributes = {
      Attribute.of("num_heads", (long) config.nHeads()), Attribute.of("unidirectional", 1L)
    };
    if (past.isEmpty()) {
      return graph.node(OnnxGraph.MICROSOFT, "Attention", List.of(h, w, b), attributes);
    }
    String noMask = "";
    List<String> both =
        graph.nodes(
            OnnxGraph.MICROSOFT,
            "Attention",
            List.of(h, w, b, noMask, past.get(layer)),
            2,
            attributes);
    present.add(both.get(1));
    return both.get(0);
  }

  private String attention(String h, String w, String b) {
    String qkv = graph.node("Add", graph.node("MatMul", h, w), b);
    List<String> parts =
        graph.nodes(
            OnnxGraph.STANDARD,
            "Split",
            List.of(qkv),
            3,
            Attribute.of("axis", 2L),
            Attribute.of("num_outputs", 3L));
    String shape = graph.numbers(batch, pos, config.nHeads(), config.dHead());
    String q = transposed(graph.node("Reshape", parts.get(0), shape), 0, 2, 1, 3);
    String k = transposed(graph.node("Reshape", parts.get(1), shape), 0, 2, 3, 1);
    String v = transposed(graph.node("Reshape", parts.get(2), shape), 0, 2, 1, 3);
    String scale = graph.weight("scale", new float[] {(float) config.scoreScale(0)}, 1);
    String scores = graph.node("Mul", graph.node("MatMul", q, k), scale);
    scores = graph.node("Add", scores, mask());
    String pattern =
        graph.node(OnnxGraph.STANDARD, "Softmax", List.of(scores), Attribute.of("axis", 3L));
    String z = transposed(graph.node("MatMul", pattern, v), 0, 2, 1, 3);
    return graph.node("Reshape", z, graph.numbers(batch, pos, config.dModel()));
  }

  private String mask() {
    float[] mask = new float[pos * pos];
    for (int t = 0; t < pos; t++) {
      Arrays.fill(mask, t * pos + t + 1, (t + 1) * pos, MASKED);
    }
    return graph.weight("mask", mask, pos, pos);
  }

  private String transposed(String x, long... order) {
    return graph.node(OnnxGraph.STANDARD, "Transpose", List.of(x), Attribute.of("perm", order));
  }

  /** Returns the stream at the start of tokens whose positions are another input. */
  String embed(String ids, String positions) {
    return graph.node(
        "Add",
        graph.node("Gather", weight(WeightNames.W_E), ids),
        graph.node("Gather", weight(WeightNames.W_pos), positions));
  }

  /**
   * Attends with keys and values of earlier tokens, [2, batch, head, past, d_head] for each block.
   *
   * @param names of the earlier ones by block
   * @param present filled with the names of those with the new tokens
   */
  void cached(List<String> names, List<String> present) {
    past = names;
    this.present = present;
  }

  /** Returns the logits [batch, pos, d_vocab] of a stream. */
  String logits(String stream) {
    String h =
        norm(
            stream,
            graph.weight("lnf_gamma", weights.get(Weight.of(WeightNames.lnFinal_gamma))),
            graph.weight("lnf_beta", weights.get(Weight.of(WeightNames.lnFinal_beta))));
    float[] embedding = weights.get(Weight.of(WeightNames.W_E)).toArray();
    int d = config.dModel();
    int vocabulary = config.dVocab();
    float[] transposed = new float[embedding.length];
    for (int v = 0; v < vocabulary; v++) {
      for (int c = 0; c < d; c++) {
        transposed[c * vocabulary + v] = embedding[v * d + c];
      }
    }
    return graph.node("MatMul", h, graph.weight("W_U", transposed, d, vocabulary));
  }

  private String norm(String x, WeightNames gamma, WeightNames beta, int layer) {
    return norm(x, weight(gamma, layer), weight(beta, layer));
  }

  private String norm(String x, String gamma, String beta) {
    return graph.node(
        OnnxGraph.STANDARD,
        "LayerNormalization",
        List.of(x, gamma, beta),
        Attribute.of("axis", -1L),
        Attribute.of("epsilon", 1e-5f));
  }

  private String weight(WeightNames name, int layer) {
    return graph.weight(name.name() + layer, weights.get(Weight.of(name, layer)));
  }

  private String weight(WeightNames name) {
    return graph.weight(name.name(), weights.get(Weight.of(name)));
  }
}
