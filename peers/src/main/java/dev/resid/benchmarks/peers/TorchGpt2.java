package dev.resid.benchmarks.peers;

import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

// GPT-2 in TorchScript, as a user of PyTorch writes it: addmm with weights [in, out], layer_norm,
// scaled_dot_product_attention, gelu. Weights are a list: twelve a block, then W_E, W_pos and the
// final layer norm.
final class TorchGpt2 {
  private static final int PER_BLOCK = 12;

  private final Gpt2Config config;

  TorchGpt2(Gpt2Config config) {
    this.config = config;
  }

  /** Returns the weights in the order of the program. */
  static List<Tensor> weights(Gpt2Weights weights) {
    List<Tensor> list = new ArrayList<>();
    for (int layer = 0; layer < weights.config().nLayers(); layer++) {
      list.add(get(weights, WeightNames.ln1_gamma, layer));
      list.add(get(weights, WeightNames.ln1_beta, layer));
      list.add(fused(weights, layer, WeightNames.W_Q, WeightNames.W_K, WeightNames.W_V));
      list.add(fused(weights, layer, WeightNames.b_Q, WeightNames.b_K, WeightNames.b_V));
      for (WeightNames name :
          List.of(
              WeightNames.W_O,
              WeightNames.b_O,
              WeightNames.ln2_gamma,
              WeightNames.ln2_beta,
              WeightNames.W_in,
              WeightNames.b_in,
              WeightNames.W_out,
              WeightNames.b_out)) {
        list.add(get(weights, name, layer));
      }
    }
    for (WeightNames name :
        List.of(
            WeightNames.W_E,
            WeightNames.W_pos,
            WeightNames.lnFinal_gamma,
            WeightNames.lnFinal_beta)) {
      list.add(weights.get(Weight.of(name)));
    }
    return list;
  }

  private static Tensor get(Gpt2Weights weights, WeightNames name, int layer) {
    return weights.get(Weight.of(name, layer));
  }

  /** Returns matrices or biases side by side. */
  static Tensor fused(Gpt2Weights weights, int layer, WeightNames... names) {
    int d = weights.config().dModel();
    int rows = Math.toIntExact(get(weights, names[0], layer).elements() / d);
    float[] all = new float[names.length * rows * d];
    for (int i = 0; i < names.length; i++) {
      float[] part = get(weights, names[i], layer).toArray();
      for (int r = 0; r < rows; r++) {
        System.arraycopy(part, r * d, all, (names.length * r + i) * d, d);
      }
    }
    int width = names.length * d;
    return Tensor.wrap(
        rows == 1 ? Shape.of(Axis.OUT, width) : Shape.of(Axis.IN, rows, Axis.OUT, width), all);
  }

  /** Returns lines that make x [batch, pos, d_model] of ids [batch, pos]. */
  String embed(String first, int pos) {
    return line("x = torch.embedding(w[%d], ids)", config.nLayers() * PER_BLOCK)
        + line(
            "x = torch.add(x, torch.narrow(w[%d], 0, %s, %d))",
            config.nLayers() * PER_BLOCK + 1, first, pos);
  }

  /** Returns lines that change x [batch, pos, d_model] by some blocks. */
  String blocks(int from, int to, int batch, int pos) {
    StringBuilder text = new StringBuilder();
    for (int layer = from; layer < to; layer++) {
      text.append(queries(layer, batch, pos))
          .append(line("z = torch.scaled_dot_product_attention(q, k, v, None, 0., True)"))
          .append(rest(layer, batch, pos));
    }
    return text.toString();
  }

  /**
   * Returns lines that change x [1, pos, d_model] by all blocks, with keys and values [1, head,
   * n_ctx, d_head] cached in lists kc and vc.
   *
   * @param visible 0 if x begins the text, and a causal mask is needed; else the number of keys is
   *     in a variable n
   */
  String cachedBlocks(int pos, boolean begins) {
    StringBuilder text = new StringBuilder();
    for (int layer = 0; layer < config.nLayers(); layer++) {
      text.append(queries(layer, 1, pos));
      String first = begins ? "0" : "n";
      for (String c : List.of("k", "v")) {
        text.append(
            line(
                "_%s = torch.copy_(torch.narrow(%sc[%d], 2, %s, %d), %s)",
                c, c, layer, first, pos, c));
      }
      if (begins) {
        text.append(line("z = torch.scaled_dot_product_attention(q, k, v, None, 0., True)"));
      } else {
        text.append(line("k = torch.narrow(kc[%d], 2, 0, torch.add(n, 1))", layer))
            .append(line("v = torch.narrow(vc[%d], 2, 0, torch.add(n, 1))", layer))
            .append(line("z = torch.scaled_dot_product_attention(q, k, v, None, 0., False)"));
      }
      text.append(rest(layer, 1, pos));
    }
    return text.toString();
  }

  private String queries(int layer, int batch, int pos) {
    int w = layer * PER_BLOCK;
    int d = config.dModel();
    StringBuilder text = new StringBuilder();
    text.append(norm("h", "x", w));
    text.append(
        line(
            "qkv = torch.addmm(w[%d], torch.view(h, [%d, %d]), w[%d])",
            w + 3, batch * pos, d, w + 2));
    String[] names = {"q", "k", "v"};
    for (int i = 0; i < names.length; i++) {
      text.append(
          line(
              "%s = torch.transpose(torch.view(torch.narrow(qkv, 1, %d, %d), [%d, %d, %d, %d]), 1,"
                  + " 2)",
              names[i], i * d, d, batch, pos, config.nHeads(), config.dHead()));
    }
    return text.toString();
  }

  private String rest(int layer, int batch, int pos) {
    int w = layer * PER_BLOCK;
    int d = config.dModel();
    String flat = "[" + batch * pos + ", " + d + "]";
    String full = "[" + batch + ", " + pos + ", " + d + "]";
    return line("z = torch.reshape(torch.transpose(z, 1, 2), %s)", flat)
        + line("x = torch.add(x, torch.view(torch.addmm(w[%d], z, w[%d]), %s))", w + 5, w + 4, full)
        + norm("h", "x", w + 6)
        + line("m = torch.addmm(w[%d], torch.view(h, %s), w[%d])", w + 9, flat, w + 8)
        + line("m = torch.gelu(m, approximate=\"tanh\")")
        + line(
            "x = torch.add(x, torch.view(torch.addmm(w[%d], m, w[%d]), %s))", w + 11, w + 10, full);
  }

  /** Returns a line that makes logits [batch, pos, d_vocab] of x. */
  String logits() {
    int w = config.nLayers() * PER_BLOCK;
    return norm("h", "x", w + 2) + line("logits = torch.matmul(h, torch.t(w[%d]))", w);
  }

  private String norm(String to, String from, int w) {
    return line(
        "%s = torch.layer_norm(%s, [%d], w[%d], w[%d], 1e-05, True)",
        to, from, config.dModel(), w, w + 1);
  }

  /** Returns an indented line. */
  static String line(String format, Object... arguments) {
    return "    " + String.format(java.util.Locale.ROOT, format, arguments) + "\n";
  }
}
