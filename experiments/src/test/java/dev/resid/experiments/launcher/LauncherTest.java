package dev.resid.experiments.launcher;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
 * The script {@code ./resid}, in a source tree of its own whose JDK and Maven are scripts that
 * write down how they were called.
 */
class LauncherTest {
  private static final Path SCRIPT = Path.of("../resid");

  @TempDir private Path folder;
  private Path root;
  private Path jdk;
  private Path bin;
  private Path mavenCalls;
  private final Map<String, String> environment = new TreeMap<>();

  @BeforeEach
  void makeTree() throws IOException {
    root = Files.createDirectories(folder.resolve("a tree of sources"));
    Files.copy(SCRIPT, root.resolve("resid"));
    root.resolve("resid").toFile().setExecutable(true);
    Files.writeString(root.resolve("pom.xml"), "<project/>");
    Files.createDirectories(root.resolve("experiments/src/main"));
    Files.writeString(root.resolve("experiments/src/main/A.java"), "class A {}");
    age(root.resolve("pom.xml"));
    jdk = makeJdk("jdk 25", "25.0.1");
    bin = Files.createDirectories(folder.resolve("bin"));
    mavenCalls = folder.resolve("maven-calls");
    script(
        bin.resolve("mvn"),
        """
        echo "$JAVA_HOME $*" >> '%s'
        sleep ${FAKE_SLEEP:-0}
        mkdir -p experiments/target/lib
        touch experiments/target/resid-experiments-1.jar experiments/target/resid-experiments-1-tests.jar
        echo 'lib/core.jar:lib/other.jar' > experiments/target/lib/class-path
        """
            .formatted(mavenCalls));
    environment.put("PATH", bin + ":/usr/bin:/bin");
    environment.put("HOME", folder.resolve("home").toString());
    environment.put("RESID_JAVA_HOME", jdk.toString());
  }

  @Test
  void theFirstRunBuildsAndLaterOnesDoNot() throws Exception {
    Run first = resid();
    Run second = resid();
    assertEquals("Building Resid (first run only, a minute or two)...", first.err().strip());
    assertEquals("", second.err());
    assertEquals(1, mavenRuns());
    assertEquals(first.out(), second.out());
  }

  @Test
  void argumentsArriveAsTheyWereGiven() throws Exception {
    Run run = resid("two words", "", "*", "$HOME", "it's", "é");
    List<String> lines = run.out().lines().toList();
    int main = lines.indexOf("[dev.resid.experiments.cli.Main]");
    assertEquals(
        List.of("[two words]", "[]", "[*]", "[$HOME]", "[it's]", "[é]"),
        lines.subList(main + 1, lines.size()));
  }

  @Test
  void theJvmIsGivenTheVectorApiAndTheClassPath() throws Exception {
    environment.put("RESID_JAVA_OPTS", "-Xmx8g -Da=*");
    List<String> lines = resid().out().lines().toList();
    Path target = root.toRealPath().resolve("experiments/target");
    assertAll(
        () ->
            assertEquals("[jdk.incubator.vector]", lines.get(lines.indexOf("[--add-modules]") + 1)),
        () -> assertTrue(lines.contains("[--enable-native-access=ALL-UNNAMED]"), lines.toString()),
        () -> assertTrue(lines.contains("[-Xmx8g]"), lines.toString()),
        () -> assertTrue(lines.contains("[-Da=*]"), lines.toString()),
        () ->
            assertEquals(
                "["
                    + target.resolve("resid-experiments-1.jar")
                    + ":"
                    + target.resolve("lib/core.jar")
                    + ":"
                    + target.resolve("lib/other.jar")
                    + "]",
                lines.get(lines.indexOf("[-cp]") + 1)));
  }

  // The JVM takes the last of several.
  @Test
  void commandsThatUseAModelOnceHaveASmallYoungGenerationUnlessTheUserSaysOtherwise()
      throws Exception {
    environment.put("RESID_JAVA_OPTS", "-Xmn1g");
    assertAll(
        () -> assertEquals(List.of("[-Xmn256m]", "[-Xmn1g]"), young(resid("sensitivity"))),
        () -> assertEquals(List.of("[-Xmn256m]", "[-Xmn32m]", "[-Xmn1g]"), young(resid("run"))));
  }

  private static List<String> young(Run run) {
    return run.out().lines().filter(line -> line.startsWith("[-Xmn")).toList();
  }

  @Test
  void theBuildMakesACacheOfClassesThatTheJvmIsGiven() throws Exception {
    List<String> lines = resid().out().lines().toList();
    Path cache = root.toRealPath().resolve("experiments/target/resid.aot");
    assertTrue(lines.contains("[-XX:AOTCache=" + cache + "]"), lines.toString());
    assertTrue(lines.contains("[-Xlog:aot=off]"), "its complaints are no results");
    assertFalse(lines.contains("noise"), lines.toString());
    age(cache);
    assertFalse(resid().out().contains("AOTCache"), "older than the jar, so of another build");
  }

  @Test
  void withoutACacheItStartsAsEver() throws Exception {
    environment.put("FAKE_NO_CACHE", "1");
    Run run = resid();
    assertEquals(0, run.exitCode(), run.err());
    assertFalse(run.out().contains("AOTCache"), run.out());
    assertFalse(run.out().contains("Xlog"), run.out());
  }

  @Test
  void theExitCodeIsTheProgramsOwn() throws Exception {
    environment.put("FAKE_EXIT", "42");
    assertEquals(42, resid().exitCode());
  }

  @Test
  void itWorksThroughALinkAndFromAnywhere() throws Exception {
    Path link = bin.resolve("resid-link");
    Files.createSymbolicLink(link, Path.of("../a tree of sources/resid"));
    Path elsewhere = Files.createDirectories(folder.resolve("else where"));
    Run run = run(elsewhere, List.of("resid-link", "x"));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().endsWith("[dev.resid.experiments.cli.Main]\n[x]\n"), run.out());
  }

  @Test
  void aChangedSourceIsBuiltAgain() throws Exception {
    resid();
    Files.setLastModifiedTime(
        root.resolve("experiments/src/main/A.java"), FileTime.from(Instant.now().plusSeconds(5)));
    Run run = resid();
    assertEquals("Building Resid (its sources changed)...", run.err().strip());
    assertEquals(2, mavenRuns());
  }

  @Test
  void runsThatStartTogetherBuildOnce() throws Exception {
    environment.put("FAKE_SLEEP", "1");
    List<Process> started = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      started.add(builder(root, List.of(root.resolve("resid").toString())).start());
    }
    for (Process process : started) {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertEquals(0, process.exitValue());
      assertTrue(out.contains("[dev.resid.experiments.cli.Main]"), out);
    }
    assertEquals(1, mavenRuns());
    assertFalse(Files.exists(root.resolve("target/resid.lock")));
  }

  @Test
  void aLockWhoseOwnerDiedDoesNotBlock() throws Exception {
    Path lock = Files.createDirectories(root.resolve("target/resid.lock"));
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Files.writeString(lock.resolve("pid"), dead.pid() + "\n");
    assertEquals(0, resid().exitCode());
    assertEquals(1, mavenRuns());
  }

  @Test
  void aFailedBuildShowsMavensErrorsAndIsTriedAgain() throws Exception {
    script(
        bin.resolve("mvn"),
        """
        echo '[INFO] noise'
        echo '[ERROR] /x/A.java:[3,4] cannot find symbol'
        exit 1
        """);
    Run run = resid();
    assertEquals(1, run.exitCode());
    assertEquals(
        List.of(
            "Building Resid (first run only, a minute or two)...",
            "[ERROR] /x/A.java:[3,4] cannot find symbol",
            "resid: the build failed; all of Maven's output is in "
                + root.toRealPath().resolve("target/resid-build.log")
                + "."),
        run.err().lines().toList());
    assertFalse(Files.exists(root.resolve("target/resid.lock")));
    assertEquals(1, resid().exitCode());
  }

  @Test
  void withoutMavenTheSentenceSaysSo() throws Exception {
    Files.delete(bin.resolve("mvn"));
    for (String tool :
        List.of("sed", "find", "head", "grep", "dirname", "mkdir", "rm", "cat", "touch")) {
      script(bin.resolve(tool), "PATH=/usr/bin:/bin exec " + tool + " \"$@\"");
    }
    environment.put("PATH", bin.toString());
    Run run = resid();
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("Maven 3.6.3 or newer is needed"), run.err());
  }

  @Test
  void javaHomeIsUsedIfItIs25AndPassedOverIfNot() throws Exception {
    environment.remove("RESID_JAVA_HOME");
    environment.put("JAVA_HOME", jdk.toString());
    assertTrue(resid().out().startsWith("java of jdk 25\n"), "JAVA_HOME");
    environment.put("JAVA_HOME", makeJdk("jdk 17", "17.0.9").toString());
    Path found = makeJdk("home/.sdkman/candidates/java/25-tem", "25");
    script(bin.resolve("java"), "echo 'openjdk version \"17.0.9\"' >&2");
    // Another JDK 25 may be in one of the usual places; what counts is that it is not the 17.
    if (!resid().out().startsWith("java of " + found.getFileName())) {
      assertFalse(resid().out().startsWith("java of jdk 17"));
    }
  }

  @Test
  void aResidJavaHomeThatIsNone25IsRefused() throws Exception {
    environment.put("RESID_JAVA_HOME", makeJdk("jdk 17", "17.0.9").toString());
    Run run = resid();
    assertEquals(1, run.exitCode());
    assertEquals(
        "resid: RESID_JAVA_HOME is " + folder.resolve("jdk 17") + ", which is no JDK 25.",
        run.err().strip());
  }

  private long mavenRuns() throws IOException {
    return Files.readAllLines(mavenCalls).size();
  }

  /** Makes a JDK whose java prints its name and its arguments, each in brackets. */
  private Path makeJdk(String name, String version) throws IOException {
    Path home = Files.createDirectories(folder.resolve(name));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    Files.createDirectories(home.resolve("bin"));
    script(
        home.resolve("bin/java"),
        """
        for arg in "$@"; do
          case $arg in
            -XX:AOTCacheOutput=*)
              [ -z "${FAKE_NO_CACHE:-}" ] && touch "${arg#*=}"
              echo noise; exit
              ;;
          esac
        done
        echo 'java of %s'
        printf '[%%s]\\n' "$@"
        exit ${FAKE_EXIT:-0}
        """
            .formatted(home.getFileName()));
    return home;
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + text);
    assertTrue(file.toFile().setExecutable(true));
  }

  private static void age(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(3600)));
  }

  private Run resid(String... args) throws Exception {
    List<String> command = new ArrayList<>(List.of(root.resolve("resid").toString()));
    command.addAll(List.of(args));
    return run(root, command);
  }

  private Run run(Path directory, List<String> command) throws Exception {
    Path err = Files.createTempFile(folder, "err", null);
    Process process = builder(directory, command).redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running");
    return new Run(process.exitValue(), out, Files.readString(err));
  }

  private ProcessBuilder builder(Path directory, List<String> command) {
    // Through env, so that the PATH of the test decides what is found.
    List<String> all = new ArrayList<>(List.of("/usr/bin/env", "-i"));
    environment.forEach((name, value) -> all.add(name + "=" + value));
    all.addAll(command);
    return new ProcessBuilder(all)
        .directory(directory.toFile())
        .redirectError(ProcessBuilder.Redirect.DISCARD);
  }

  private record Run(int exitCode, String out, String err) {}
}
