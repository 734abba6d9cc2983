package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.sae.io.PtFile.Values;
import dev.resid.testing.Fuzz;
import dev.resid.testing.RewrittenFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SAEs whose only configuration is what a torch checkpoint names and holds. The pickle is damaged
 * and the archive around it is sound, because a damaged archive ends before the reader of an SAE
 * begins; archives are the matter of the fuzzing of torch checkpoints.
 */
class SaeStateFuzzTest {
  private static final int D_IN = 2;
  private static final int D_SAE = 3;

  /** What a pickle of an SAE has besides. */
  private static final List<String> PICKLE =
      Fuzz.pickle(
          List.of(
              "K\0",
              "\u0088",
              "\u0089",
              "\u008a\1\2",
              "\u008a\10\0\0\0\0\0\0\0\u0080",
              "ctorch\nLongStorage\n",
              "ctorch\nHalfStorage\n",
              "ccollections\nOrderedDict\n"));

  @TempDir private Path temp;

  /** Damages the pickle of the first file, and gives it beginnings and ends of the others. */
  private void fuzz(String name, Stated stated, List<String> keys, List<PtFile> files)
      throws IOException {
    List<String> words =
        Stream.concat(
                PICKLE.stream(),
                keys.stream().map(key -> "X" + (char) key.length() + "\0\0\0" + key))
            .toList();
    SaeFolder.Disk folder = new SaeFolder.Disk(temp);
    PtFile first = files.getFirst();
    try (RewrittenFile file = new RewrittenFile(temp.resolve(Fuzz.NAME))) {
      new Fuzz(
              name,
              files.stream().map(PtFile::pickle).toList(),
              words,
              Fuzz.MOST_BYTES_OF_TEXT,
              IOException.class,
              pickle -> {
                file.write(first.around(pickle));
                SaeContents contents = SaeKinds.ofFile(folder, Fuzz.NAME, stated);
                contents.read();
                contents.file().close();
              })
          .run()
          .requireSearched(20);
    }
  }

  private static Values matrix(int rows, int columns) {
    return Values.floats(new int[] {rows, columns}, new float[rows * columns]);
  }

  private static Values vector(int size) {
    return Values.floats(new int[] {size}, new float[size]);
  }

  private static Map<String, Object> openAi() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("pre_bias", vector(D_IN));
    values.put("latent_bias", vector(D_SAE));
    values.put("encoder.weight", matrix(D_SAE, D_IN));
    values.put("decoder.weight", matrix(D_IN, D_SAE));
    return values;
  }

  @Test
  void openAiReleases() throws IOException {
    Map<String, Object> topK = openAi();
    topK.put("activation", "TopK");
    topK.put("activation_state_dict", Map.of("k", 2L, "postact_fn", "ReLU"));
    topK.put("stats_last_nonzero", Values.integer(5));
    Map<String, Object> relu = openAi();
    relu.put("activation", "ReLU");
    fuzz(
        "OpenAI checkpoint",
        Stated.nothing().at(HookPoint.residPost(1)),
        List.of("activation", "TopK", "ReLU", "k", "postact_fn", "pre_bias", "stats_last_nonzero"),
        List.of(PtFile.of(topK), PtFile.of(relu)));
  }

  private static Map<String, Object> apollo(String... saes) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (String sae : saes) {
      values.put(sae + ".encoder.0.weight", matrix(D_SAE, D_IN));
      values.put(sae + ".encoder.0.bias", vector(D_SAE));
      values.put(sae + ".decoder.weight", matrix(D_IN, D_SAE));
      values.put(sae + ".decoder.bias", vector(D_IN));
    }
    return values;
  }

  @Test
  void apolloStateDicts() throws IOException {
    String one = "blocks-1-hook_resid_pre";
    fuzz(
        "Apollo e2e_sae state dict",
        Stated.nothing(),
        List.of(
            "saes." + one + ".decoder.weight",
            "blocks-2-hook_resid_pre.encoder.0.weight",
            one + ".encoder.0.weight",
            one + ".encoder.0.bias",
            "encoder.0.weight",
            new String(
                "blocks-1-hook_rés\u2028id.decoder.bias".getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1)),
        List.of(PtFile.of(apollo("saes." + one)), PtFile.of(apollo(one))));
  }
}
