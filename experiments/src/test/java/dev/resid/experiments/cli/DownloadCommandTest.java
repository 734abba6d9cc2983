package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.io.DType;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** Downloads from a hub on this machine; what the cache does is tested where it is. */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class DownloadCommandTest {
  private static final String MODEL = "some-body/tiny";
  private static final String SAE = "gpt2-small-res_scl-ajt/blocks.2.hook_resid_pre";

  @TempDir private Path folder;
  private FakeHub hub;

  @BeforeEach
  void publish() throws IOException {
    hub = new FakeHub();
    System.setProperty("HF_HOME", folder.resolve("home").toString());
    System.setProperty("HF_ENDPOINT", hub.endpoint().toString());
    Path model = TinyModel.saveWithTokenizer(folder.resolve("model"), 1);
    try (Stream<Path> files = Files.list(model)) {
      for (Path file : files.toList()) {
        put(MODEL, "", file);
      }
    }
    NamedSae sae = TinySaes.both().getFirst();
    Path saved = folder.resolve("sae");
    SaeCheckpoint.save(sae.sae(), DType.F32, saved);
    put("neuronpedia/gpt2-small__res_scl-ajt", "2-res_scl-ajt/", saved.resolve("cfg.json"));
    put(
        "neuronpedia/gpt2-small__res_scl-ajt",
        "2-res_scl-ajt/",
        saved.resolve("sae_weights.safetensors"));
  }

  private void put(String repository, String at, Path file) throws IOException {
    String name = file.getFileName().toString();
    if (name.endsWith(".safetensors")) {
      hub.putLarge(repository, at + name, Files.readAllBytes(file));
    } else {
      hub.putSmall(repository, at + name, Files.readAllBytes(file));
    }
  }

  @AfterEach
  void stop() {
    hub.close();
    System.clearProperty("HF_HOME");
    System.clearProperty("HF_ENDPOINT");
    System.clearProperty("HF_HUB_OFFLINE");
  }

  @Test
  void aModelIsFetchedAndThenFoundByItsName() throws IOException {
    CliRun.line("info --model", MODEL)
        .refused(MODEL + ": there is no such folder", "'resid download some-body/tiny'");
    assertEquals(List.of(), hub.requests(), "only download asks the hub");
    String said = CliRun.line("download", MODEL).ok().out();
    assertTrue(said.contains("commit " + FakeHub.COMMIT), said);
    assertTrue(said.contains("hash agrees  model.safetensors"), said);
    assertTrue(said.contains("Use it with --model some-body/tiny."), said);
    hub.close();
    CliRun.line("info --model", MODEL).ok();
    CliRun.line("info --model", MODEL + "@" + FakeHub.COMMIT).ok();
    CliRun.line("loss --tokens", tokens(), "--model", MODEL, "-q").ok();
    Path out = folder.resolve("out.safetensors");
    CliRun.line("gradients --tokens", tokens(), "--model", MODEL, "--out", out).ok();
    String ids = CliRun.line("tokenize ab --tokenizer", MODEL).ok().out();
    assertEquals(ids, CliRun.line("tokenize ab --tokenizer", folder.resolve("model")).ok().out());
  }

  private Path tokens() throws IOException {
    return Files.writeString(folder.resolve("tokens.json"), "[[1, 2, 3, 4]]");
  }

  @Test
  void anSaeIsFetchedAndThenFoundByItsName() {
    CliRun.line("sae info", SAE).refused(SAE + ": is not", "'resid download --sae " + SAE + "'");
    String said = CliRun.line("download --sae", SAE).ok().out();
    assertTrue(said.contains("hash agrees  2-res_scl-ajt/sae_weights.safetensors"), said);
    assertFalse(said.contains("sparsity"), said);
    String info = CliRun.line("sae info", SAE).ok().out();
    assertTrue(info.contains("blocks.1.hook_resid_pre"), info);
  }

  @Test
  void whatWasDamagedIsFetchedAgainAndSaid() throws IOException {
    CliRun.line("download", MODEL).ok();
    Path config =
        folder
            .resolve("home/hub/models--some-body--tiny/snapshots/" + FakeHub.COMMIT)
            .resolve("config.json");
    byte[] sound = Files.readAllBytes(config);
    Files.writeString(config, Files.readString(config).replace('1', '2'));
    String said = CliRun.line("download", MODEL).ok().out();
    assertTrue(said.contains("was damaged  config.json"), said);
    assertTrue(said.contains("was there    model.safetensors"), said);
    assertTrue(said.contains("fetched again; its hash agrees now."), said);
    assertArrayEquals(sound, Files.readAllBytes(config));
    said = CliRun.line("download", MODEL).ok().out();
    assertTrue(said.contains("was there    config.json") && !said.contains("damaged"), said);
  }

  @Test
  void offlineWhatIsCachedIsEnough() {
    CliRun.line("download", MODEL).ok();
    hub.forgetRequests();
    System.setProperty("HF_HUB_OFFLINE", "1");
    assertTrue(CliRun.line("download", MODEL).ok().out().contains("was there    config.json"));
    CliRun.line("download some-body/other").refused("HF_HUB_OFFLINE");
    assertEquals(List.of(), hub.requests());
  }

  @Test
  void aModelOfAnotherKindIsRefusedBeforeItsWeightsAreFetched() {
    byte[] config = "{\"model_type\": \"llama\"}".getBytes(StandardCharsets.UTF_8);
    hub.putSmall("some-body/llama", "config.json", config);
    hub.putLarge("some-body/llama", "model.safetensors", new byte[10]);
    CliRun.line("download some-body/llama").refused("model_type", "llama");
    assertFalse(hub.counts().toString().contains("model.safetensors"), hub.counts().toString());
  }

  @Test
  void aLocalFolderOfTheNameWins() throws IOException {
    Path local = Files.createDirectories(Path.of("target/download-command-test"));
    try {
      CliRun.line("info --model", local).refused(local.toString(), "config.json");
      CliRun.line("download", MODEL).ok();
    } finally {
      Files.delete(local);
    }
  }

  @Test
  void whatIsNotThereIsSaid() {
    CliRun.line("download no-body/nothing").refused("no such repository");
    CliRun.line("download", MODEL, "--revision", "../x").refused("is no revision");
    CliRun.line("download --sae gpt2-small-res-jb").refused("sae list --release gpt2-small-res-jb");
    CliRun.line("download --sae no-such/sae").refused("'resid sae list'");
    CliRun.line("download").wrongUsage("name a model");
    CliRun.line("download", SAE).wrongUsage("--sae " + SAE);
    CliRun.line("download gpt2@v1 --revision v2").wrongUsage("states a revision already");
    CliRun.line("download not//a//name").refused("OWNER/NAME");
  }
}
