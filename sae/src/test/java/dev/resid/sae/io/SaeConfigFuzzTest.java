package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.SafetensorsWriter;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Fuzz;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Configurations of SAEs beside sound weights, damaged at random and on purpose. */
class SaeConfigFuzzTest {
  private static final List<String> WORDS =
      Fuzz.json(
          "\"architecture\":",
          "\"standard\"",
          "\"gated\"",
          "\"jumprelu\"",
          "\"topk\"",
          "\"k\":",
          "\"d_sae\":",
          "\"hook_name\":",
          "\"hook_point\":",
          "\"metadata\":",
          "\"trainer\":",
          "\"dict_class\":",
          "\"normalize_activations\":",
          "\"model_from_pretrained_kwargs\":",
          "\"layer\":",
          "\"activation\":",
          "\"act_name\":",
          "\"act_size\":",
          "\"concat_heads\":",
          "blocks.1.",
          "\"blocks.1.hook_z\"");

  @TempDir private Path temp;

  /** Reads the folder of an SAE whose files lie in memory. */
  @FunctionalInterface
  private interface Reader {
    SaeContents read(SaeFolder folder, Stated stated) throws IOException;
  }

  /** Finds files by name; a name that is there has an address that nobody opens. */
  private static final class Memory extends ClassLoader {
    private final Map<String, byte[]> files;

    Memory(Map<String, byte[]> files) {
      super(null);
      this.files = files;
    }

    @Override
    public URL getResource(String name) {
      try {
        return files.containsKey(name) ? URI.create("file:/" + name).toURL() : null;
      } catch (MalformedURLException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public InputStream getResourceAsStream(String name) {
      byte[] content = files.get(name);
      return content == null ? null : new ByteArrayInputStream(content);
    }
  }

  private byte[] weights(Map<String, Shape> tensors) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    new TreeMap<>(tensors).forEach((name, shape) -> writer.add(name, Tensor.zeros(shape)));
    Path file = temp.resolve("weights");
    writer.write(file);
    return Files.readAllBytes(file);
  }

  private static Shape matrix(int rows, int columns) {
    return Shape.of(Axis.D_SAE, rows, Axis.D_MODEL, columns);
  }

  private static Shape vector(int size) {
    return Shape.of(Axis.D_SAE, size);
  }

  /** Returns weights by the names of the papers, as SAELens and hook-z SAEs have them. */
  private byte[] paperNames() throws IOException {
    return weights(
        Map.of(
            "W_enc", matrix(2, 3), "W_dec", matrix(3, 2), "b_enc", vector(3), "b_dec", vector(2)));
  }

  private static void fuzz(
      String name,
      String config,
      HookPoint point,
      Map<String, byte[]> beside,
      Reader reader,
      String... sound) {
    Map<String, byte[]> files = new TreeMap<>(beside);
    // Made once: a new loader for each input would be most of the work.
    SaeFolder folder = new SaeFolder.Resource(new Memory(files), "", Path.of(Fuzz.NAME));
    Stated stated = Stated.nothing().at(point);
    Fuzz.ofText(
            name,
            WORDS,
            IOException.class,
            input -> {
              files.put(config, input);
              SaeContents contents = reader.read(folder, stated);
              contents.read();
              contents.file().close();
            },
            sound)
        .run()
        .requireSearched(5);
  }

  @Test
  void saeLens() throws IOException {
    String six =
        "{\"architecture\":\"topk\",\"d_in\":2,\"d_sae\":3,\"dtype\":\"float32\",\"k\":2,"
            + "\"normalize_activations\":\"none\",\"apply_b_dec_to_input\":true,\"metadata\":"
            + "{\"hook_name\":\"blocks.1.hook_resid_pre\",\"context_size\":8,\"prepend_bos\":true,"
            + "\"model_from_pretrained_kwargs\":{\"center_writing_weights\":true}}}";
    String two =
        "{\"hook_point\":\"blocks.1.hook_resid_pre\",\"hook_point_layer\":1,\"d_in\":2,"
            + "\"d_sae\":3,\"l1_coefficient\":0.1,\"context_size\":8}";
    fuzz(
        "SAELens cfg.json",
        SaeLensReader.CONFIG,
        HookPoint.residPre(1),
        Map.of(SaeLensReader.WEIGHTS, paperNames()),
        SaeLensReader::read,
        six,
        two);
  }

  @Test
  void dictionaryLearning() throws IOException {
    byte[] weights =
        weights(
            Map.of(
                "encoder.weight",
                matrix(3, 2),
                "encoder.bias",
                vector(3),
                "decoder.weight",
                matrix(2, 3),
                "bias",
                vector(2)));
    fuzz(
        "dictionary_learning config.json",
        DictionaryLearningReader.CONFIG,
        HookPoint.residPost(1),
        Map.of(DictionaryLearningReader.WEIGHTS, weights),
        DictionaryLearningReader::read,
        "{\"trainer\":{\"dict_class\":\"AutoEncoder\",\"activation_dim\":2,\"dict_size\":3,"
            + "\"layer\":1,\"submodule_name\":\"resid_post_layer_1\"},\"buffer\":{\"ctx_len\":8}}");
  }

  @Test
  void sparsify() throws IOException {
    byte[] weights =
        weights(
            Map.of(
                "encoder.weight",
                matrix(3, 2),
                "encoder.bias",
                vector(3),
                "W_dec",
                matrix(3, 2),
                "b_dec",
                vector(2)));
    fuzz(
        "sparsify cfg.json",
        SparsifyReader.CONFIG,
        HookPoint.residPost(1),
        Map.of(SparsifyReader.WEIGHTS, weights),
        SparsifyReader::read,
        "{\"activation\":\"topk\",\"expansion_factor\":2,\"normalize_decoder\":true,"
            + "\"num_latents\":3,\"k\":2,\"multi_topk\":false,\"skip_connection\":false,"
            + "\"transcode\":false,\"d_in\":2}");
  }

  @Test
  void hookZ() throws IOException {
    fuzz(
        "hook-z NAME_cfg.json",
        HookZReader.configOf("1.pt"),
        HookPoint.at(Site.Z, 1),
        Map.of("1.pt", paperNames()),
        (folder, stated) -> HookZReader.read(folder, "1.pt", folder.tensors("1.pt"), stated),
        "{\"act_name\":\"blocks.1.attn.hook_z\",\"act_size\":2,\"dict_size\":3,\"layer\":1,"
            + "\"concat_heads\":true,\"model_name\":\"gpt2-small\",\"seq_len\":128}");
  }
}
