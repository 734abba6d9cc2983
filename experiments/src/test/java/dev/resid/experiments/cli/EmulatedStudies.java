package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.result.RunRecord;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.testing.EmulatedDevices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/**
 * Every command of a study that shares its blocks out but {@code sensitivity}, each with two blocks
 * or a few, and the files that they read, which stand in capitals for their paths.
 */
final class EmulatedStudies {
  private static final String SAES = "--sae early=SAE0 --sae late=SAE1 --sae-weights raw";
  private static final Map<String, String> LINES = lines();

  /** Those that take a fraction of a second. */
  static final List<String> QUICK =
      List.of("propagation", "lambada", "features", "evaluate", "reproduce");

  /** The others. */
  static final List<String> SLOW =
      LINES.keySet().stream().filter(name -> !QUICK.contains(name)).toList();

  private EmulatedStudies() {}

  private static Map<String, String> lines() {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put(
        "substitution",
        "substitution --model IDS --tokens NINE --position 2 --pool 16 --read kl --alone none"
            + " --substitutes sae,isotropic --sae SAE1 --sae-weights raw");
    lines.put(
        "plateau",
        "plateau --model IDS --tokens NINE --layer 1 --pool 9 --targets random --bases none"
            + " --regime absolute --step 1");
    lines.put(
        "robustness",
        "robustness --model IDS --tokens FIVE --cosines 0.5 --norms 1 --layers 1 " + SAES);
    lines.put("context", "language context --model IDS --tokens FIVE --ranges 1-2 " + SAES);
    lines.put("propagation", "language propagation --model IDS --tokens FIVE " + SAES);
    lines.put(
        "dictionary", "dictionary --model IDS --tokens FIVE --features 1 --removal-rows 1 " + SAES);
    lines.put("evaluate", "sae evaluate --model IDS --tokens FIVE --sae SAE1 --weights raw");
    lines.put("patch", "patch --model BYTES --pairs PAIRS --no-bos");
    lines.put("cbt", "language cbt --model BYTES --limit 9 --too-long cut --sae none");
    lines.put("reproduce", "reproduce --model BYTES --text DOCUMENTS --numbers NUMBERS --rows 5");
    lines.put("lambada", "language lambada --model BYTES --data PASSAGES --sae none");
    lines.put(
        "features", "language features --model BYTES --data PASSAGES --sae WIDE --sae-weights raw");
    return lines;
  }

  /** Returns the commands, words before options. */
  static List<String> commands() {
    return LINES.values().stream().map(line -> line.replaceFirst(" --.*", "")).toList();
  }

  /** Runs a study on one GPU and on two, and says what came of each. */
  static List<CliRun> run(String name, Path folder) {
    List<CliRun> runs = new ArrayList<>();
    for (String devices : List.of("1", "0,1")) {
      List<String> line = line(name, folder);
      line.addAll(List.of("--devices", devices, "--out", folder(name, devices, folder).toString()));
      runs.add(CliRun.of(line.toArray(String[]::new)));
    }
    return runs;
  }

  private static Path folder(String name, String devices, Path folder) {
    return folder.resolve(name + "-on-" + devices);
  }

  /** Requires that both runs left the same files behind, but for the record and what goes on. */
  static void requireSameResults(String name, Path folder) throws IOException {
    Path one = folder(name, "1", folder);
    Path two = folder(name, "0,1", folder);
    List<String> files = results(one);
    assertTrue(files.contains("report.html"), files::toString);
    assertEquals(files, results(two));
    for (String file : files) {
      assertArrayEquals(
          Files.readAllBytes(one.resolve(file)), Files.readAllBytes(two.resolve(file)), file);
    }
  }

  private static List<String> results(Path out) throws IOException {
    try (Stream<Path> files = Files.walk(out)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.endsWith(RunRecord.FILE))
          .map(file -> out.relativize(file).toString())
          .filter(name -> !name.contains("blocks/"))
          .sorted()
          .toList();
    }
  }

  /** Returns the command line of a study, all but its devices and its output folder. */
  static List<String> line(String name, Path folder) {
    List<String> line = new ArrayList<>();
    for (String word : LINES.get(name).split(" ")) {
      String file = word.substring(word.indexOf('=') + 1);
      line.add(
          file.matches("[A-Z]+\\d?") ? word.replace(file, folder.resolve(file).toString()) : word);
    }
    line.add("--quiet");
    return line;
  }

  /** Writes what the command lines read. */
  static void write(Path folder) throws IOException {
    Gpt2Config config = Gpt2Config.of(2, 2, 8, 30, 8);
    Gpt2Checkpoint.save(TinyModel.random(config, 1), DType.F32, folder.resolve("IDS"));
    TinyModel.saveWithTokenizer(Files.createDirectories(folder.resolve("BYTES")), 1);
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      sae(0, 8, folder.resolve("SAE0"), backend);
      sae(1, 8, folder.resolve("SAE1"), backend);
      sae(1, 16, folder.resolve("WIDE"), backend);
    }
    for (Map.Entry<String, Integer> rows : Map.of("FIVE", 5, "NINE", 9).entrySet()) {
      int[] lengths = new int[rows.getValue()];
      Arrays.fill(lengths, 4);
      SmallSaes.tokens(2, 30, lengths).writeJson(folder.resolve(rows.getKey()));
    }
    String pair =
        "{\"clean\":\"a%1$s\",\"corrupted\":\"b%1$s\",\"answer\":\"c\",\"against\":\"d\"}";
    Files.write(folder.resolve("PAIRS"), List.of(pair.formatted("x"), pair.formatted("y")));
    List<String> passages = new ArrayList<>();
    for (int i = 1; i <= 9; i++) {
      passages.add("It is " + i);
    }
    Files.write(folder.resolve("PASSAGES"), passages);
    Files.writeString(folder.resolve("DOCUMENTS"), String.join("\n<|endoftext|>\n", passages));
    Files.writeString(
        folder.resolve("NUMBERS"),
        """
        fact\tlayers\t2
        fact\twidth\t16
        fact\tlong_row\t16
        fact\tshort_row\t8
        fact\tlayer\t1
        fact\tprompt\t4
        fact\tprompts\t4
        fact\tplateau_layer\t1
        number\ttest\tnorm\tshort-rows\t-\tclean\tpoint=blocks.1.hook_resid_pre;from=1;to=7\tnorm\t9\tsample\t5\t0\t-
        """);
  }

  private static void sae(int layer, int width, Path file, Backend backend) throws IOException {
    SaeCheckpoint.save(
        SmallSaes.random(HookPoint.residPre(layer), width, 16, 5 + layer, backend),
        DType.F32,
        file);
  }

  /**
   * Runs a program of these tests in a process of its own, which the emulated GPUs want, and
   * returns what it printed; skips the test where there are none.
   *
   * @param program its argument is the folder
   */
  static List<String> inAProcess(Class<?> program, Path folder)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.add(folder.toString());
    Path out = folder.resolve("said");
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(log.toFile())
            .start();
    int code = process.waitFor();
    List<String> said = Files.readAllLines(out);
    String all = said + Files.readString(log);
    assertEquals(0, code, all);
    assumeFalse(!said.isEmpty() && said.getFirst().startsWith("absent: "), all);
    return said;
  }

  /** Returns the GPUs, loaded; prints why and returns nothing where they cannot be. */
  static Optional<EmulatedDevices> loaded() {
    Optional<EmulatedDevices> gpus = ServiceLoader.load(EmulatedDevices.class).findFirst();
    Optional<String> problem =
        gpus.isEmpty()
            ? Optional.of("the tests of the cuda backend are not on the class path")
            : gpus.get().problem();
    if (problem.isPresent()) {
      System.out.println("absent: " + problem.get());
      return Optional.empty();
    }
    gpus.get().load();
    return gpus;
  }
}
