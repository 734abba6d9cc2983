package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.result.RunRecord;
import dev.resid.io.DType;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.testing.EmulatedDevices;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Studies on two GPUs emulated on the processor, in one process that is not this one. */
class EmulatedDevicesTest {
  @TempDir private static Path folder;

  /** What the backend allocates for cuBLAS when it is opened. */
  private static final long WORKSPACE = 32L << 20;

  /** GPUs, driver and compute capability that nothing can be computed with. */
  private static final int[][] BAD = {{0, 13000, 9}, {1, 10020, 9}, {1, 13000, 6}};

  /** The line of what is said at which the other studies begin. */
  private static final int STUDIES = 20 + 3 * BAD.length;

  private static List<String> said;

  /** Runs every command line of the tests, and says what came of each. */
  static final class Runs {
    private final EmulatedDevices gpus;
    private final Path folder;

    private Runs(EmulatedDevices gpus, Path folder) {
      this.gpus = gpus;
      this.folder = folder;
    }

    /** Does it in the folder that is the argument. */
    public static void main(String[] arguments) {
      EmulatedStudies.loaded().ifPresent(gpus -> new Runs(gpus, Path.of(arguments[0])).all());
    }

    private void all() {
      run("one", "--devices", "1");
      run("two", "--devices", "0,1");
      run("part0", "--devices", "1,0", "--shard", "0/2");
      long before = gpus.launchesOn(0);
      run("part1", "--device", "0", "--shard", "1/2");
      long ofPart = gpus.launchesOn(0) - before;
      say(CliRun.of("merge", at("merged"), at("part0"), at("part1")));
      run("third", "--devices", "0,2");
      // In its first block: the text is read once and takes as long as a block at least, and a part
      // is two of five blocks.
      gpus.lose(0, ofPart * 6 / 10);
      run("lost", "--devices", "0,1");
      gpus.load();
      run("lost", "--device", "1");
      gpus.memory(WORKSPACE + 4096);
      run("full", "--device", "0");
      gpus.load();
      say(CliRun.of(line("planned", "--device", "0", "--rows", "8").toArray(String[]::new)));
      run("two", "--device", "0", "--precision", "tf32");
      for (int[] bad : BAD) {
        gpus.surroundings(bad[0], bad[1], bad[2]);
        System.out.println(
            CliRun.of("doctor").out().lines().filter(l -> l.startsWith("  cuda ")).findFirst());
        run("bad", "--backend", "cuda");
      }
      gpus.load();
      for (String study : EmulatedStudies.QUICK) {
        EmulatedStudies.run(study, folder).forEach(Runs::say);
      }
    }

    private String at(String name) {
      return folder.resolve(name).toString();
    }

    private void run(String out, String... more) {
      long first = gpus.launchesOn(0);
      long second = gpus.launchesOn(1);
      List<String> line = line(out, more);
      line.add("--quiet");
      say(CliRun.of(line.toArray(String[]::new)));
      System.out.println(
          "launches "
              + (gpus.launchesOn(0) > first ? "yes" : "no")
              + " "
              + (gpus.launchesOn(1) > second ? "yes" : "no"));
    }

    private List<String> line(String out, String... more) {
      List<String> line =
          new ArrayList<>(
              List.of("sensitivity", "--model", at("model"), "--tokens", at("tokens.json")));
      line.addAll(List.of("--lengths", "1,2", "--directions", "real-mixture"));
      line.addAll(List.of("--pool", "64", "--out", at(out)));
      line.addAll(List.of(more));
      return line;
    }

    private static void say(CliRun run) {
      new PrintWriter(System.out, true, StandardCharsets.UTF_8)
          .println(run.exitCode() + " " + run.err().strip().replace('\n', '|'));
    }
  }

  @BeforeAll
  static void runEverything() throws IOException, InterruptedException {
    Gpt2Config config = Gpt2Config.of(2, 2, 8, 30, 16);
    Gpt2Checkpoint.save(Gpt2Weights.random(config, 1), DType.F32, folder.resolve("model"));
    int[][] ids = new int[40][7];
    for (int row = 0; row < ids.length; row++) {
      for (int pos = 0; pos < ids[row].length; pos++) {
        ids[row][pos] = (row * 7 + pos * pos) % 30;
      }
    }
    TokenBatch.of(ids).writeJson(folder.resolve("tokens.json"));
    EmulatedStudies.write(folder);
    said = EmulatedStudies.inAProcess(Runs.class, folder);
    assertEquals(
        STUDIES + 2 * EmulatedStudies.QUICK.size(), said.size(), () -> String.join("\n", said));
  }

  private static void sameResults(String one, String other) throws IOException {
    for (String file : List.of("results.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(folder.resolve(one).resolve(file)),
          Files.readAllBytes(folder.resolve(other).resolve(file)),
          other + "/" + file);
    }
  }

  @Test
  void twoGpusBothComputeAndGiveTheBytesOfOne() throws IOException {
    assertEquals(List.of("0 ", "launches no yes", "0 ", "launches yes yes"), said.subList(0, 4));
    sameResults("one", "two");
  }

  @ParameterizedTest
  @FieldSource("dev.resid.experiments.cli.EmulatedStudies#QUICK")
  void otherStudiesGiveTheBytesOfOneGpuOnTwo(String study) throws IOException {
    int at = STUDIES + 2 * EmulatedStudies.QUICK.indexOf(study);
    assertEquals(List.of("0 ", "0 "), said.subList(at, at + 2));
    EmulatedStudies.requireSameResults(study, folder);
  }

  @Test
  void partsOfARunMayUseSeveralGpusToo() throws IOException {
    assertEquals(
        List.of("0 ", "launches yes yes", "0 ", "launches yes no", "0 "), said.subList(4, 9));
    sameResults("one", "merged");
  }

  private static final List<String> GPUS =
      List.of(
          "GPU 0: emulated GPU, compute capability 9.0, 4 GiB, driver for CUDA 13.0",
          "GPU 1: emulated GPU, compute capability 9.0, 4 GiB, driver for CUDA 13.0");

  private static List<String> recorded(String run) throws IOException {
    return RunRecord.read(folder.resolve(run)).devices();
  }

  @Test
  void recordsNameEveryGpuThatWasUsed() throws IOException {
    assertEquals(GPUS.subList(1, 2), recorded("one"));
    assertEquals(GPUS, recorded("two"));
    assertEquals(GPUS.reversed(), recorded("merged"));
    assertEquals(GPUS.reversed(), recorded("lost"), "of this process and the one before");
    assertEquals(GPUS, recorded("evaluate-on-0,1"));
    assertEquals(GPUS, recorded("reproduce-on-0,1"));
    assertEquals(GPUS, recorded("reproduce-on-0,1/parts/short-rows"));
  }

  @Test
  void badSurroundingsAreASentenceInDoctorAndInTheErrorAndNothingIsWritten() {
    List<String> reasons =
        List.of(
            "the driver sees no GPU. Check nvidia-smi and the variable CUDA_VISIBLE_DEVICES",
            "the driver for CUDA 10.2 is too old for the kernels, which need one for CUDA 11 or"
                + " newer. Install a newer driver",
            "the kernels need compute capability 7.5, and the GPU here is emulated GPU, compute"
                + " capability 6.0, 4 GiB. use --backend vector, or a GPU of 2018 or newer");
    for (int i = 0; i < reasons.size(); i++) {
      List<String> found = said.subList(20 + 3 * i, 23 + 3 * i);
      assertTrue(found.get(0).endsWith("unavailable: " + reasons.get(i) + "]"), "doctor: " + found);
      assertTrue(
          found.get(1).startsWith("1 resid: no backend \"cuda\" here.")
              && found.get(1).contains("cuda: " + reasons.get(i).split("\\. ")[0])
              && !found.get(1).contains("|"),
          found::toString);
      assertEquals("launches no no", found.get(2));
    }
    assertTrue(Files.notExists(folder.resolve("bad")));
  }

  @Test
  void aRunDoesNotGoOnWithOtherFactors() {
    assertTrue(
        said.get(18).contains("another run (factors is \"tf32\" here and not set there)"),
        said.get(18));
  }

  @Test
  void aGpuThatIsNotThereIsASentenceAndNothingIsWritten() {
    assertEquals("1 resid: cuda: there is no GPU 2; there are 2, counted from 0.", said.get(9));
    assertTrue(Files.notExists(folder.resolve("third")));
  }

  @Test
  void aGpuThatIsLostIsASentenceAndFinishedBlocksAreKept() throws IOException {
    assertTrue(
        said.get(11).startsWith("1 resid: cuda: cannot ")
            && said.get(11).contains("finished blocks of a sweep are kept"),
        said.get(11));
    assertEquals("0 ", said.get(13));
    sameResults("one", "lost");
  }

  @Test
  void aModelThatDoesNotFitIsASentenceAndNothingIsWritten() {
    assertTrue(
        said.get(15).startsWith("1 resid: the weights take 0 MiB, and cuda ("), said.get(15));
    assertTrue(Files.notExists(folder.resolve("full")));
  }

  @Test
  void thePlanNamesTheMemoryOfTheGpu() {
    assertTrue(
        said.get(17)
            .matches(
                "0 8 rows .*; on the GPU: 1 MiB of the activations for the clean run, [0-9,]+ MiB"
                    + " free beside the weights.*"),
        said.get(17));
  }
}
