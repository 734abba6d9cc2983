package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.cli.ResidCommand;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import scala.reflect.ClassTag$;

/** Runs on real executors: processes of their own, of which one is killed. */
class ClusterTest {
  /** Five blocks; the backend that needs no time to get warm in each of five processes. */
  private static final String STUDY =
      "sensitivity --backend scalar --rows 40 --row-length 4 --directions isotropic --lengths 5"
          + " --pool 40 --quiet --text %s --out %s";

  /** Files that say when something was done, or by whom. */
  private static final Set<String> RECORDS = Set.of("run.json", ".lock");

  @TempDir private static Path folder;

  /** The results of one process. */
  private static Path single;

  /** Relative: executors run in folders of their own. */
  private static Path text;

  @BeforeAll
  static void runInOneProcess() throws IOException {
    text =
        Path.of("")
            .toAbsolutePath()
            .relativize(
                Files.writeString(folder.resolve("text.txt"), "A ship came in. ".repeat(200)));
    single = folder.resolve("single");
    Run run =
        run((out, err) -> ResidCommand.execute(out, err, STUDY.formatted(text, single).split(" ")));
    assertEquals(0, run.code(), run.err());
    // The folder that processes of a cluster on this machine want to see, empty or not.
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME")).resolve("jars"));
  }

  @Test
  void theResultsAreTheSameBytesAlthoughAnExecutorIsKilled() throws Exception {
    Path cluster = folder.resolve("cluster");
    Run run =
        spark(
            "--master local-cluster[2,1,1024] --conf spark.executor.extraClassPath="
                + classes()
                + " --conf spark.extraListeners="
                + Killer.class.getName()
                + " --conf spark.scheduler.minRegisteredResourcesRatio=1"
                + " --conf spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1 "
                + STUDY.formatted(text, cluster));
    assertEquals(0, run.code(), run.err());
    assertEquals(1, Killer.KILLED.get(), "executors killed");
    assertTrue(Killer.LOST.get() > 0, "no task was lost, so the kill came too late");
    assertTrue(Killer.EXECUTORS.size() >= 2, "one process did everything");
    assertSameResults(cluster);
  }

  @Test
  void aRunThatWasStoppedGoesOnInThisProcess() throws Exception {
    Path stopped = folder.resolve("stopped");
    try (Stream<Path> walk = Files.walk(single)) {
      for (Path file : walk.toList()) {
        Files.copy(file, stopped.resolve(single.relativize(file)));
      }
    }
    // As if it had been stopped while the third block was written.
    Path log = stopped.resolve("blocks/rows.log");
    byte[] all = Files.readAllBytes(log);
    Files.write(log, Arrays.copyOf(all, all.length / 2));
    Files.delete(stopped.resolve("results.csv"));
    Run run = spark("--master local[2] " + STUDY.formatted(text, stopped));
    assertEquals(0, run.code(), run.err());
    assertSameResults(stopped);
    assertEquals(all.length, Files.size(log), "every block once");
  }

  @Test
  void aProcessThatWouldComputeOtherNumbersRefuses() {
    SharedOrder order =
        new SharedOrder(
            "another run",
            List.of("sensitivity", "--rows", "8", "--row-length", "8", "--quiet"),
            "{\"study\":\"sensitivity/1\"}",
            "{}",
            8,
            8,
            1,
            List.of(),
            1);
    try (JavaSparkContext spark =
        new JavaSparkContext(
            SparkSettings.complete(new SparkConf().set("spark.master", "local[1]")))) {
      String problem =
          assertThrows(
                  SparkException.class,
                  () ->
                      spark
                          .sc()
                          .runJob(
                              spark.parallelize(List.of(0), 1).rdd(),
                              new BlockTask(order),
                              ClassTag$.MODULE$.apply(ComputedBlock.class)))
              .getCause()
              .getMessage();
      assertTrue(problem.contains("would compute other numbers"), problem);
      assertTrue(problem.matches("(?s).*study is \"sensitivity/\\d+\" here.*"), problem);
    }
  }

  /**
   * Returns a jar that stands for the class path: a command line that is longer than a page is not
   * told to other processes, and the executor to kill is found by its command line.
   */
  private static Path classes() throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toUri().toString())
                .collect(Collectors.joining(" ")));
    Path jar = folder.resolve("classes.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }

  /** What a program did. */
  private record Run(int code, String out, String err) {}

  private static Run spark(String line) {
    return run((out, err) -> Main.execute(out, err, line.split(" ")));
  }

  private static Run run(dev.resid.experiments.cli.Main.Program program) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = program.run(new PrintWriter(out), new PrintWriter(err));
    return new Run(code, out.toString(), err.toString());
  }

  private static void assertSameResults(Path actual) throws IOException {
    TreeMap<String, byte[]> one = results(single);
    TreeMap<String, byte[]> other = results(actual);
    assertTrue(one.containsKey("results.csv"), one.keySet().toString());
    assertEquals(one.keySet(), other.keySet());
    for (String name : one.keySet()) {
      assertArrayEquals(one.get(name), other.get(name), name);
    }
  }

  private static TreeMap<String, byte[]> results(Path run) throws IOException {
    TreeMap<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> walk = Files.walk(run)) {
      for (Path file : walk.filter(Files::isRegularFile).toList()) {
        String name = run.relativize(file).toString();
        if (!name.startsWith("blocks") && !RECORDS.contains(name)) {
          files.put(name, Files.readAllBytes(file));
        }
      }
    }
    return files;
  }

  /** Kills the executor that is given the third task, once. Made by Spark. */
  public static final class Killer extends SparkListener {
    private static final AtomicInteger STARTED = new AtomicInteger();
    private static final AtomicInteger KILLED = new AtomicInteger();
    private static final AtomicInteger LOST = new AtomicInteger();
    private static final Set<String> EXECUTORS = new TreeSet<>();

    /** Called by Spark. */
    public Killer() {}

    @Override
    public void onExecutorAdded(SparkListenerExecutorAdded added) {
      EXECUTORS.add(added.executorId());
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      if (STARTED.incrementAndGet() == 3) {
        KILLED.addAndGet(kill(start.taskInfo().executorId()));
      }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (end.reason().toString().startsWith("ExecutorLostFailure")) {
        LOST.incrementAndGet();
      }
    }

    private static int kill(String executor) {
      List<ProcessHandle> found =
          ProcessHandle.current()
              .descendants()
              .filter(process -> isExecutor(process, executor))
              .toList();
      found.forEach(ProcessHandle::destroyForcibly);
      return found.size();
    }

    private static boolean isExecutor(ProcessHandle process, String id) {
      List<String> arguments = List.of(process.info().arguments().orElse(new String[0]));
      int at = arguments.indexOf("--executor-id");
      return at >= 0 && arguments.get(at + 1).equals(id);
    }
  }
}
