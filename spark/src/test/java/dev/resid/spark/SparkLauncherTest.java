package dev.resid.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code ./resid-spark}, in a source tree of its own whose JDK, Maven and Spark are
 * scripts that say how they were called.
 */
class SparkLauncherTest {
  @TempDir private Path folder;
  private Path root;
  private Path bin;
  private final Map<String, String> environment = new TreeMap<>();

  @BeforeEach
  void makeTree() throws IOException {
    root = Files.createDirectories(folder.resolve("a tree")).toRealPath();
    for (String script : List.of("resid", "resid-spark")) {
      Files.copy(Path.of("..").resolve(script), root.resolve(script));
      assertTrue(root.resolve(script).toFile().setExecutable(true));
    }
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.setLastModifiedTime(
        root.resolve("pom.xml"), FileTime.from(Instant.now().minusSeconds(3600)));
    Files.createDirectories(root.resolve("experiments/src/main"));
    Files.createDirectories(root.resolve("spark/src/main"));
    Path jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
    script(jdk.resolve("bin/java"), "printf '[%s]\\n' \"$@\"");
    bin = Files.createDirectories(folder.resolve("bin"));
    script(
        bin.resolve("mvn"),
        """
        echo "$*" >> '%s'
        mkdir -p experiments/target/lib spark/target
        touch experiments/target/resid-experiments-1.jar spark/target/resid-spark-1.jar
        echo 'lib/core.jar:lib/other.jar' > experiments/target/lib/class-path
        echo '/m2/spark-core.jar:/m2/scala.jar' > spark/target/spark-class-path
        """
            .formatted(folder.resolve("maven-calls")));
    environment.put("PATH", bin + ":/usr/bin:/bin");
    environment.put("HOME", folder.resolve("home").toString());
    environment.put("RESID_JAVA_HOME", jdk.toString());
  }

  @Test
  void withoutASparkItRunsTheOneOfTheBuild() throws Exception {
    List<String> lines = run("--master", "local[2]", "patch", "--out", "two words").out();
    assertEquals(
        "["
            + String.join(
                ":",
                root.resolve("spark/target/resid-spark-1.jar").toString(),
                root.resolve("experiments/target/resid-experiments-1.jar").toString(),
                root.resolve("experiments/target/lib/core.jar").toString(),
                root.resolve("experiments/target/lib/other.jar").toString(),
                "/m2/spark-core.jar",
                "/m2/scala.jar")
            + "]",
        lines.get(lines.indexOf("[-cp]") + 1));
    assertEquals(
        List.of(
            "[dev.resid.spark.Main]",
            "[--master]",
            "[local[2]]",
            "[patch]",
            "[--out]",
            "[two words]"),
        lines.subList(lines.size() - 6, lines.size()));
    assertTrue(Files.isDirectory(root.resolve("spark/target/spark-home/jars")));
  }

  @Test
  void itBuildsItsModuleOnce() throws Exception {
    run("patch");
    run("patch");
    List<String> calls = Files.readAllLines(folder.resolve("maven-calls"));
    assertEquals(1, calls.size(), calls.toString());
    assertTrue(calls.getFirst().contains("-pl spark -am package"), calls.toString());
  }

  @Test
  void sparkSubmitGetsItsOptionsTheJarAndTheStudy() throws Exception {
    script(bin.resolve("spark-submit"), "echo \"java of $JAVA_HOME\"; printf '[%s]\\n' \"$@\"");
    List<String> lines =
        run("--master", "spark://head:7077", "--verbose", "--conf=a=b c", "patch", "--seed", "*")
            .out();
    assertEquals("java of " + folder.resolve("jdk"), lines.getFirst());
    assertEquals(
        List.of(
            "[--master]",
            "[spark://head:7077]",
            "[--verbose]",
            "[--conf=a=b c]",
            "[" + root.resolve("spark/target/resid-spark-1.jar") + "]",
            "[patch]",
            "[--seed]",
            "[*]"),
        lines.subList(lines.size() - 8, lines.size()));
    String jars = lines.get(lines.indexOf("[--jars]") + 1);
    assertTrue(jars.contains("resid-experiments-1.jar,"), jars);
    assertTrue(!jars.contains("/m2/"), "a cluster has its own Spark: " + jars);
  }

  @Test
  void sparkHomeWinsAndMustBeOne() throws Exception {
    Path home = Files.createDirectories(folder.resolve("spark home/bin")).getParent();
    script(bin.resolve("spark-submit"), "echo wrong");
    environment.put("SPARK_HOME", home.toString());
    Run run = run("patch");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("which has no bin/spark-submit"), run.err());
    script(home.resolve("bin/spark-submit"), "echo right");
    assertEquals(List.of("right"), run("patch").out());
  }

  @Test
  void optionsWithoutAStudyAreRefused() throws Exception {
    script(bin.resolve("spark-submit"), "echo wrong");
    Run run = run("--master", "yarn");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("resid: a study is missing"), run.err());
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    assertTrue(file.toFile().setExecutable(true));
  }

  private record Run(int code, List<String> out, String err) {}

  private Run run(String... args) throws Exception {
    // Through env, so that the PATH of the test decides what is found.
    List<String> command = new ArrayList<>(List.of("/usr/bin/env", "-i"));
    environment.forEach((name, value) -> command.add(name + "=" + value));
    command.add(root.resolve("resid-spark").toString());
    command.addAll(List.of(args));
    Path err = folder.resolve("err");
    Process process =
        new ProcessBuilder(command).directory(root.toFile()).redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running");
    return new Run(process.exitValue(), out.lines().toList(), Files.readString(err));
  }
}
