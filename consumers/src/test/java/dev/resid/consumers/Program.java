package dev.resid.consumers;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** Sources outside the project, compiled and started as their authors would. */
final class Program {
  private final Path classes;
  private final Where where;
  private final List<Path> jars;

  /** Where the jars are given. */
  enum Where {
    CLASS_PATH("--class-path"),
    MODULE_PATH("--module-path");

    private final String option;

    Where(String option) {
      this.option = option;
    }
  }

  /** What a program printed, and how it ended. */
  record Outcome(int exit, String out, String err) {}

  private Program(Path classes, Where where, List<Path> jars) {
    this.classes = classes;
    this.where = where;
    this.jars = jars;
  }

  /**
   * Compiles all sources of a folder, or one file, with every warning an error.
   *
   * @param sources with module-info.java, which is left out on the class path
   * @param classes where classes go
   */
  static Program compile(Path sources, Path classes, Where where, List<Path> jars)
      throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(sources)) {
      files =
          walk.filter(file -> file.toString().endsWith(".java"))
              .filter(
                  file -> where == Where.MODULE_PATH || !file.endsWith(Path.of("module-info.java")))
              .toList();
    }
    // requires-automatic: fixed names without a descriptor. auxiliaryclass, incubating: see JBang's
    // file, and what a module graph with the Vector API in it says.
    List<String> options =
        List.of(
            "--release",
            "25",
            "-Xlint:all,-requires-automatic,-incubating",
            "-Werror",
            "-d",
            classes.toString(),
            where.option,
            path(jars));
    StringWriter messages = new StringWriter();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var manager = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      var units = manager.getJavaFileObjectsFromPaths(files);
      if (!compiler.getTask(messages, manager, null, options, null, units).call()) {
        throw new AssertionError(sources + " does not compile on the " + where + ":\n" + messages);
      }
    }
    return new Program(classes, where, jars);
  }

  /**
   * Starts a main class and waits until it ends.
   *
   * @param main its name; on the module path, module/class
   * @param jvm options of the JVM
   * @param arguments of the program
   */
  Outcome run(String main, List<String> jvm, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-Xmx1g"));
    command.addAll(jvm);
    command.add(where.option);
    command.add(classes + File.pathSeparator + path(jars));
    if (where == Where.MODULE_PATH) {
      command.add("--module");
    }
    command.add(main);
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile(classes.getParent(), "out", ".txt");
    Path err = Files.createTempFile(classes.getParent(), "err", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError(main + " did not end");
    }
    return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private static String path(List<Path> jars) {
    return jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }
}
