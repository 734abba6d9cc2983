package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.io.TensorFile;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads a state dict of Apollo Research's e2e_sae: for each SAE encoder.0.weight [d_sae, d_in],
 * encoder.0.bias, decoder.weight [d_in, d_sae] and decoder.bias under the hook point's name with
 * dashes for dots. There the decoder's columns are divided by their norm in every forward pass;
 * here once, on load.
 *
 * @source ApolloResearch/e2e_sae 2.1.1, models/sparsifiers.py
 */
final class ApolloReader {
  private static final Pattern KEY =
      Pattern.compile(
          "((?:saes\\.)?([\\w-]+))\\.(encoder\\.0\\.(weight|bias)|decoder\\.(weight|bias))");

  /** The smallest divisor, torch's for a column of zeros. */
  private static final double SMALLEST_NORM = 1e-12;

  private ApolloReader() {}

  /** Returns whether the keys are those of such a file. */
  static boolean recognises(TensorFile file) {
    return file.names().stream().anyMatch(name -> name.endsWith(".encoder.0.weight"));
  }

  static SaeContents read(TensorFile file, Stated stated) throws IOException {
    Map<HookPoint, String> saes = saes(file);
    if (saes.size() > 1 && stated.point().isEmpty()) {
      throw new SaeCheckpointException(
          file.file()
              + ": holds SAEs for "
              + names(saes)
              + ". State which one, for example with --at "
              + saes.keySet().iterator().next());
    }
    HookPoint point = stated.point().orElse(saes.keySet().iterator().next());
    String prefix = saes.get(point);
    if (prefix == null) {
      throw new SaeCheckpointException(
          file.file() + ": has no SAE for " + point + ", only for " + names(saes) + ". Name one");
    }
    Map<SaeWeight, StoredWeight> table = new EnumMap<>(SaeWeight.class);
    put(table, file, SaeWeight.W_enc, prefix + ".encoder.0.weight");
    put(table, file, SaeWeight.b_enc, prefix + ".encoder.0.bias");
    put(table, file, SaeWeight.W_dec, prefix + ".decoder.weight");
    put(table, file, SaeWeight.b_dec, prefix + ".decoder.bias");
    Set<String> others = new TreeSet<>(file.names());
    others.removeIf(name -> name.startsWith(prefix + "."));
    Map<SaeWeight, StoredWeight> stored =
        SaeContents.find(file, table, EnumSet.noneOf(SaeWeight.class), others);
    int[] encoder = stored.get(SaeWeight.W_enc).matrixSizes();
    SaeConfig config =
        SaeFacts.of(
            file.file(),
            () ->
                new SaeConfig(
                    Points.nameOf(file.file()) + "/" + point,
                    Architecture.RELU,
                    encoder[0],
                    encoder[1],
                    encoder[0],
                    OptionalInt.empty(),
                    TopKScale.PLAIN,
                    Normalization.NONE,
                    1,
                    DecoderBias.ADDED,
                    point,
                    point,
                    stated.weights(),
                    Provenance.UNKNOWN));
    SaeContents contents =
        new SaeContents(
            "Apollo e2e_sae",
            config,
            file,
            file.file().getFileName().toString(),
            stored,
            ApolloReader::normalize);
    contents.check();
    return contents;
  }

  private static void put(
      Map<SaeWeight, StoredWeight> table, TensorFile file, SaeWeight weight, String key) {
    StoredWeight.Layout layout =
        weight == SaeWeight.W_enc || weight == SaeWeight.W_dec
            ? StoredWeight.Layout.TRANSPOSED
            : StoredWeight.Layout.AS_IS;
    table.put(weight, new StoredWeight(weight, file, key, layout));
  }

  private static Map<HookPoint, String> saes(TensorFile file) throws SaeCheckpointException {
    Map<HookPoint, String> found = new java.util.TreeMap<>();
    for (String name : file.names()) {
      Matcher matcher = KEY.matcher(name);
      if (!matcher.matches()) {
        throw new SaeCheckpointException(
            file.file()
                + ": tensor "
                + SaeJson.shown(name)
                + " belongs to no SAE of e2e_sae, whose tensors are encoder.0 and decoder. Save the"
                + " SAEs' state dict alone");
      }
      Optional<HookPoint> point = Points.parse(matcher.group(2).replace('-', '.'));
      if (point.isEmpty()) {
        throw new SaeCheckpointException(
            file.file() + ": tensor is called " + SaeJson.shown(name) + Points.UNKNOWN);
      }
      found.put(point.get(), matcher.group(1));
    }
    return found;
  }

  private static String names(Map<HookPoint, String> saes) {
    return saes.keySet().stream().map(HookPoint::name).collect(Collectors.joining(", "));
  }

  private static void normalize(Map<SaeWeight, Tensor> weights) {
    weights.compute(
        SaeWeight.W_dec,
        (weight, decoder) -> {
          double[] norms = Rows.norms(decoder);
          Arrays.setAll(norms, i -> Math.max(norms[i], SMALLEST_NORM));
          return Rows.divided(decoder, norms);
        });
  }
}
