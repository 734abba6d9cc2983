package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.Backend;
import dev.resid.testing.FakeHub;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Commands that are disturbed: killed at random moments, out of room on the disk, with files cut
 * off, lost or unreadable, and with a second process in the same folder. The same command then ends
 * in the bytes of an undisturbed run, or says in one sentence what is in its way.
 *
 * <p>{@code -Dresid.faults.kills=N} kills each command N times; {@code -Dresid.faults.seed} chooses
 * other moments and places, and {@code -Dresid.faults.command=PATCH,MERGE} some of the commands.
 */
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class RunFaultsTest {
  private static final int KILLS = Integer.getInteger("resid.faults.kills", 0);
  private static final long SEED = Long.getLong("resid.faults.seed", 20261121);

  @TempDir private static Path shared;
  private static final Map<Command, Path> WHOLE = new EnumMap<>(Command.class);
  private static final FakeHub FAKE = startHub();

  @TempDir private Path folder;

  /** The commands that take long, on inputs for which they do not. */
  private enum Command {
    SENSITIVITY("sensitivity --directions isotropic --lengths 0.1,1 --model @model --tokens @rows"),
    PLATEAU(
        "plateau --prompts 16 --pool 16 --model @model --tokens @rows --layer 1 --bases"
            + " model-generated --targets random"),
    SUBSTITUTION("substitution --sae @sae --position 3 --model @model --tokens @rows"),
    ROBUSTNESS(
        "robustness --sites resid_pre --layers 1 --cosines 1,0.5 --norms 1 --sae @sae --model"
            + " @model --tokens @rows"),
    LAMBADA("language lambada --model @model --data @lambada"),
    CBT("language cbt --too-long cut --sae @sae --model @model --data @cbt"),
    CONTEXT("language context --sae @sae --model @model --tokens @rows"),
    PROPAGATION("language propagation --sae @early --sae @sae --model @model --tokens @rows"),
    FEATURES("language features --sae @sae --model @model --data @lambada"),
    DICTIONARY("dictionary --model @model --tokens @rows --sae @sae --removal-rows 1"),
    PATCH("patch --model @model --pairs @pairs"),
    EVALUATE("sae evaluate --weights raw --sae @sae --model @model --tokens @rows"),
    TRAIN_GPT2(
        "train gpt2 --layers 1 --heads 2 --width 16 --context 16 --batch 4 --steps 40"
            + " --checkpoint-every 2 --tokenizer @model --text @text"),
    TRAIN_SAE(
        "train sae --objective topk --k 3 --hook blocks.1.hook_resid_pre --context 16 --batch 4"
            + " --features 24 --tokens 2560 --checkpoint-every 2 --model @model --text @text"),
    TRAIN_TOKENIZER("train tokenizer --quiet --vocab-size 270 --text @text --out @out"),
    MERGE("merge @out @part0 @part1"),
    DOWNLOAD("download --quiet some-body/tiny"),
    SENSITIVITY_AS_USED(SENSITIVITY),
    EVALUATE_AS_USED(EVALUATE),
    TRAIN_GPT2_AS_USED(TRAIN_GPT2),
    TRAIN_SAE_AS_USED(TRAIN_SAE);

    // The reference backend: what is compared is files, and code of vectors is slow to start.
    private static final String QUICK = " --backend scalar --threads 1";

    private final String words;
    private final List<String> jvm;

    Command(String words) {
      boolean study = !words.matches("(merge|download|train tokenizer) .*");
      this.words = study ? words + " --quiet" + QUICK + " --out @out" : words;
      this.jvm = List.of();
    }

    /** The same as people run it: with vectors, more than one thread, and both compilers. */
    Command(Command quick) {
      this.words = quick.words.replace(QUICK, " --threads 2");
      this.jvm = List.of("-XX:TieredStopAtLevel=4");
    }

    String[] line(Path out) {
      return Stream.of(words.split(" "))
          .map(
              word ->
                  word.equals("@out")
                      ? out.toString()
                      : word.startsWith("@") ? shared.resolve(word.substring(1)).toString() : word)
          .toArray(String[]::new);
    }

    /** Runs it in this process; downloads go to a cache in the folder. */
    CliRun run(Path out) {
      System.setProperty("HF_HOME", out.toString());
      return CliRun.of(line(out));
    }

    /** Starts it in a process of its own. */
    ChildRun start(int kibibytes, Path log, Path out) throws IOException {
      List<String> options = new ArrayList<>(jvm);
      options.addAll(List.of("-DHF_HOME=" + out, "-DHF_ENDPOINT=" + FAKE.endpoint()));
      return ChildRun.start(kibibytes, log, options, line(out));
    }
  }

  @BeforeAll
  static void write() throws IOException {
    TinyModel.saveWithTokenizer(shared.resolve("model"), 1);
    try (Backend backend = Backends.named("scalar", BackendOptions.defaults())) {
      for (int layer = 0; layer < 2; layer++) {
        SaeCheckpoint.save(
            SmallSaes.random(HookPoint.residPre(layer), 16, 24, 5, backend),
            DType.F32,
            shared.resolve(layer == 0 ? "early" : "sae"));
      }
    }
    int[] lengths = IntStream.generate(() -> 10).limit(40).toArray();
    SmallSaes.tokens(2, TinyModel.TOKENS, lengths).writeJson(shared.resolve("rows"));
    Files.writeString(shared.resolve("text"), "The cat sat on the mat and the dog.\n".repeat(40));
    Files.writeString(shared.resolve("lambada"), "A cat sat\nThe dog ran\n".repeat(10));
    String pair =
        "{\"clean\": \"a cat\", \"corrupted\": \"a dog\", \"answer\": \"x\", \"against\": \""
            + " y\"}\n";
    Files.writeString(shared.resolve("pairs"), pair.repeat(10));
    Files.writeString(
        shared.resolve("cbt"),
        (IntStream.rangeClosed(1, 20)
                    .mapToObj(i -> i + " It is " + i + " .\n")
                    .collect(Collectors.joining())
                + "21 He ate the XXXXX .\tbread\t\tbread|milk\n\n")
            .repeat(4));
    publish();
    for (int i = 0; i < 2; i++) {
      List<String> part =
          new ArrayList<>(List.of(Command.SENSITIVITY.line(shared.resolve("part" + i))));
      part.addAll(List.of("--shard", i + "/2"));
      CliRun.of(part.toArray(String[]::new)).ok();
    }
  }

  private static FakeHub startHub() {
    try {
      return new FakeHub();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts the model on a hub of this machine, with weights that take a moment to send. */
  private static void publish() throws IOException {
    System.setProperty("HF_ENDPOINT", FAKE.endpoint().toString());
    for (String name : List.of("config.json", "vocab.json", "merges.txt", "tokenizer.json")) {
      FAKE.putSmall("some-body/tiny", name, Files.readAllBytes(shared.resolve("model/" + name)));
    }
    byte[] weights = new byte[4 << 20];
    new Random(SEED).nextBytes(weights);
    FAKE.putLarge("some-body/tiny", "model.safetensors", weights);
  }

  @AfterAll
  static void stopHub() {
    FAKE.close();
    System.clearProperty("HF_HOME");
    System.clearProperty("HF_ENDPOINT");
  }

  /** Returns the folder of an undisturbed run. */
  private static Path whole(Command command) {
    return WHOLE.computeIfAbsent(
        command,
        each -> {
          Path out = shared.resolve("whole-" + each);
          each.run(out).ok();
          return out;
        });
  }

  /** Returns all commands, or those that are asked for. */
  static Stream<Command> commands() {
    String only = System.getProperty("resid.faults.command", "");
    return only.isEmpty()
        ? Stream.of(Command.values())
        : Stream.of(only.split(",")).map(Command::valueOf);
  }

  static Stream<Command> commandsToKill() {
    return KILLS > 0 ? commands() : Stream.of(Command.DICTIONARY);
  }

  @ParameterizedTest
  @MethodSource("commandsToKill")
  void aKilledRunEndsInTheSameBytes(Command command) throws Exception {
    Path whole = whole(command);
    SplittableRandom random = new SplittableRandom(SEED + command.ordinal());
    Path sample = folder.resolve("sample");
    long working = millisOfWork(command, sample);
    int kills = 0;
    for (int round = 0; kills < Math.max(1, KILLS); round++) {
      Path out = folder.resolve("out" + round);
      boolean killed = true;
      for (int i = 0; killed && i < 4 && kills < Math.max(1, KILLS); i++) {
        ChildRun child = command.start(0, folder.resolve("log"), out);
        child.await(out);
        killed = child.killAfter(random.nextLong(working + 1));
        kills += killed ? 1 : 0;
      }
      command.run(out).ok();
      assertEquals(
          List.of(), StudyRuns.differences(whole, out), "seed " + SEED + ", after kill " + kills);
      assertTrue(round < 10 * Math.max(1, KILLS), "the run is over before it can be killed");
    }
  }

  /** Returns how long a process takes from the moment its folder is there. */
  private long millisOfWork(Command command, Path out) throws Exception {
    ChildRun child = command.start(0, folder.resolve("log"), out);
    child.await(out);
    long start = System.nanoTime();
    CliRun run = child.end();
    assertEquals(ResidCommand.OK, run.exitCode(), run.err());
    assertEquals(List.of(), StudyRuns.differences(whole(command), out));
    return (System.nanoTime() - start) / 1_000_000;
  }

  /** Returns all in the profile, else those whose ways to go on differ. */
  static Stream<Command> commandsToDamage() {
    return KILLS > 0
        ? commands()
        : Stream.of(
            Command.SENSITIVITY,
            Command.EVALUATE,
            Command.TRAIN_GPT2,
            Command.TRAIN_SAE,
            Command.TRAIN_TOKENIZER,
            Command.MERGE,
            Command.DOWNLOAD);
  }

  @ParameterizedTest
  @MethodSource("commandsToDamage")
  void aDamagedFolderIsMendedOrNamed(Command command) throws Exception {
    Path whole = whole(command);
    SplittableRandom random = new SplittableRandom(SEED - command.ordinal());
    for (int i = 0; i < Math.max(2, 5 * KILLS); i++) {
      Path out = copy(whole, folder.resolve("damaged" + i));
      Path file = oneOf(filesOf(out), random);
      String what = damage(file, random) + " (seed " + SEED + ", damage " + i + ")";
      requireMendedOrNamed(command, whole, out, what);
    }
  }

  private static void requireMendedOrNamed(Command command, Path whole, Path out, String what)
      throws IOException {
    CliRun run = command.run(out);
    if (run.exitCode() == ResidCommand.OK) {
      assertEquals(List.of(), StudyRuns.differences(whole, out), what);
    } else {
      try {
        run.refused(out.toString());
      } catch (AssertionError e) {
        throw new AssertionError(what + ": " + e.getMessage(), e);
      }
    }
  }

  /** A run that was stopped in the middle has files that a finished one has not. */
  @ParameterizedTest
  @MethodSource("commands")
  @EnabledIfSystemProperty(named = "resid.faults.kills", matches = "[1-9]\\d*")
  void aStoppedAndDamagedRunIsMendedOrNamed(Command command) throws Exception {
    Path whole = whole(command);
    SplittableRandom random = new SplittableRandom(SEED + 200 + command.ordinal());
    long working = millisOfWork(command, folder.resolve("sample"));
    for (int i = 0; i < Math.max(2, KILLS / 4); i++) {
      Path stopped = folder.resolve("stopped" + i);
      ChildRun child = command.start(0, folder.resolve("log"), stopped);
      child.await(stopped);
      child.killAfter(random.nextLong(working + 1));
      // Starting a process takes much longer than what follows.
      for (int j = 0; j < 4 && !filesOf(stopped).isEmpty(); j++) {
        Path out = copy(stopped, folder.resolve("out" + i + "-" + j));
        String what = damage(oneOf(filesOf(out), random), random) + " (kill " + i + ")";
        requireMendedOrNamed(command, whole, out, what + ", seed " + SEED);
      }
    }
  }

  /** Parts of a run on their way from one machine to another. */
  @Test
  void aDamagedPartIsNamedOrChangesNothing() throws Exception {
    Path whole = whole(Command.MERGE);
    SplittableRandom random = new SplittableRandom(SEED + 300);
    for (int i = 0; i < Math.max(4, 10 * KILLS); i++) {
      Path part = copy(shared.resolve("part0"), folder.resolve("part" + i));
      Path out = folder.resolve("out" + i);
      String what = damage(oneOf(filesOf(part), random), random);
      CliRun run = CliRun.line("merge", out, part, shared.resolve("part1"));
      if (run.exitCode() == ResidCommand.OK) {
        assertEquals(List.of(), StudyRuns.differences(whole, out), what + ", seed " + SEED);
      } else {
        run.refused(part.toString());
      }
    }
  }

  /** Cuts the file off at a random place, changes a bit, removes it or makes it unreadable. */
  private static String damage(Path file, SplittableRandom random) throws IOException {
    switch (random.nextInt(8)) {
      case 0 -> {
        Files.delete(file);
        return file + " removed";
      }
      case 1, 2 -> {
        return file + " " + Unreadable.any(random).make(file);
      }
      case 6, 7 -> {
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length == 0) {
          return file + " as it was";
        }
        int at = random.nextInt(bytes.length);
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        Files.write(file, bytes);
        return file + " with a bit of byte " + at + " changed";
      }
      default -> {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          long length = random.nextLong(Math.max(1, channel.size()));
          channel.truncate(length);
          return file + " cut after " + length + " bytes";
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  @EnabledIfSystemProperty(named = "resid.faults.kills", matches = "[1-9]\\d*")
  void aFullDiskIsNamedAndTheRunGoesOn(Command command) throws Exception {
    Path whole = whole(command);
    long largest = 0;
    for (Path file : filesOf(whole)) {
      largest = Math.max(largest, Files.size(file));
    }
    SplittableRandom random = new SplittableRandom(SEED + 100 + command.ordinal());
    for (int i = 0; i < Math.max(2, KILLS / 4); i++) {
      Path out = folder.resolve("out" + i);
      int kibibytes = 1 + random.nextInt(1 + (int) (largest >> 10));
      CliRun run = command.start(kibibytes, folder.resolve("log"), out).end();
      if (run.exitCode() != ResidCommand.OK) {
        // A download names what it was fetching for the cache.
        String place = command == Command.DOWNLOAD ? "some-body/tiny" : out.toString();
        run.refused(place, "could not be written");
      }
      command.run(out).ok();
      assertEquals(List.of(), StudyRuns.differences(whole, out), kibibytes + " KiB");
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  @EnabledIfSystemProperty(named = "resid.faults.kills", matches = "[1-9]\\d*")
  void ofTwoProcessesOneWorksAndTheOtherSaysSo(Command command) throws Exception {
    Path out = folder.resolve("out");
    ChildRun one = command.start(0, folder.resolve("one"), out);
    ChildRun other = command.start(0, folder.resolve("other"), out);
    int done = 0;
    for (CliRun run : List.of(one.end(), other.end())) {
      if (run.exitCode() == ResidCommand.OK) {
        done++;
      } else {
        run.refused(out.toString(), "another process is working in");
      }
    }
    assertTrue(done > 0, "one of them must do the work");
    command.run(out).ok();
    assertEquals(List.of(), StudyRuns.differences(whole(command), out));
  }

  private static Path oneOf(List<Path> files, SplittableRandom random) {
    return files.get(random.nextInt(files.size()));
  }

  private static List<Path> filesOf(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static Path copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(dir)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            // A cache of downloads has links.
            Files.copy(file, to.resolve(from.relativize(file)), LinkOption.NOFOLLOW_LINKS);
            return FileVisitResult.CONTINUE;
          }
        });
    return to;
  }
}
