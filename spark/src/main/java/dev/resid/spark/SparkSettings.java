package dev.resid.spark;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;

/** Settings of Spark that suit tasks which use every core of their executor. */
final class SparkSettings {
  private static final String MASTER = "spark.master";
  private static final String CORES = "spark.executor.cores";
  private static final String CORES_PER_TASK = "spark.task.cpus";

  /** What executors on other machines need, set by the script resid-spark. */
  private static final String JARS = "resid.spark.jars";

  private static final Pattern LOCAL = Pattern.compile("local(\\[(\\d+|\\*)(, *\\d+)?])?");
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[ *\\d+ *, *(\\d+) *, *\\d+ *]");

  private SparkSettings() {}

  /**
   * Adds what is not set: this machine as the master; one task at a time in an executor, which has
   * all its cores; no limit of what comes back, because it is written down as it comes; and for
   * processes on this machine what they are started with.
   */
  static SparkConf complete(SparkConf conf) {
    conf.setIfMissing(MASTER, "local[*]")
        .setIfMissing("spark.app.name", "resid")
        .setIfMissing("spark.driver.maxResultSize", "0");
    int cores = cores(conf);
    if (cores > 0) {
      conf.setIfMissing(CORES_PER_TASK, Integer.toString(cores));
    }
    if (conf.get(MASTER).startsWith("local")) {
      conf.setIfMissing("spark.ui.enabled", "false");
    }
    String jars = System.getProperty(JARS);
    if (jars != null && !conf.get(MASTER).startsWith("local")) {
      conf.setIfMissing("spark.jars", jars);
    }
    if (conf.get(MASTER).startsWith("local-cluster")) {
      // Processes beside this one: with the same Java and the same classes.
      conf.setIfMissing("spark.executorEnv.JAVA_HOME", System.getProperty("java.home"))
          .setIfMissing(
              "spark.executor.extraClassPath", absolute(System.getProperty("java.class.path")));
    }
    return conf;
  }

  private static String absolute(String classPath) {
    return Arrays.stream(classPath.split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** Returns the cores of an executor; 0 if that is known only where it starts. */
  private static int cores(SparkConf conf) {
    String master = conf.get(MASTER);
    Matcher cluster = LOCAL_CLUSTER.matcher(master);
    if (cluster.matches()) {
      return Integer.parseInt(cluster.group(1));
    }
    Matcher local = LOCAL.matcher(master);
    if (local.matches()) {
      String threads = local.group(2) == null ? "1" : local.group(2);
      return threads.equals("*")
          ? Runtime.getRuntime().availableProcessors()
          : Integer.parseInt(threads);
    }
    return conf.getInt(CORES, 0);
  }

  /** Returns the threads of an executor's backend; 0 for all processors of its machine. */
  static int threadsOfExecutor(SparkConf conf) {
    return conf.getInt(CORES_PER_TASK, 0);
  }
}
