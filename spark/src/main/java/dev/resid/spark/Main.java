package dev.resid.spark;

import dev.resid.experiments.cli.StudyCommandLine;
import java.io.PrintWriter;
import java.util.Arrays;
import org.apache.spark.SparkConf;

/** Where the {@code resid-spark} program starts, by itself or by {@code spark-submit}. */
public final class Main {
  private static final String USAGE =
      """
      Usage: resid-spark [--master URL] [--conf KEY=VALUE]... STUDY [OPTIONS OF THE STUDY]
      Runs a study of resid with its blocks as one Spark job; the results are the same bytes.

      Examples:
        resid-spark sensitivity --rows 24 --out here
        resid-spark --master local-cluster[2,1,2048] plateau --out two-processes
        resid-spark --master spark://head:7077 --conf spark.executor.cores=8 \\
          sensitivity --model /shared/gpt2 --text /shared/book.txt --layer 6 --out gpt2-6

      'resid STUDY --help' explains a study; docs/many-machines.md explains the rest.
      """;

  private Main() {}

  /**
   * Runs one study and ends the process with its exit code, as {@code resid} does.
   *
   * @param args options of Spark, then the command line of the study
   */
  public static void main(String[] args) {
    dev.resid.experiments.cli.Main.exitAfter((out, err) -> execute(out, err, args));
  }

  /**
   * Runs one study and returns the exit code.
   *
   * @param out where results go
   * @param err where errors and progress go
   * @param args options of Spark, then the command line of the study
   */
  static int execute(PrintWriter out, PrintWriter err, String... args) {
    SparkConf conf = new SparkConf();
    int at = 0;
    for (; at < args.length && args[at].startsWith("-"); at++) {
      String option = args[at];
      if (option.equals("--help") || option.equals("-h")) {
        out.print(USAGE);
        out.flush();
        return 0;
      }
      boolean hasValue = at + 1 < args.length;
      if (option.equals("--master") && hasValue) {
        conf.set("spark.master", args[++at]);
      } else if (option.equals("--conf") && hasValue && args[at + 1].indexOf('=') > 0) {
        String[] setting = args[++at].split("=", 2);
        conf.set(setting[0], setting[1]);
      } else {
        return wrongUsage(
            err,
            option
                + " is no option of resid-spark without spark-submit, or lacks its value; before"
                + " the study stand --master URL and --conf KEY=VALUE");
      }
    }
    String[] study = Arrays.copyOfRange(args, at, args.length);
    if (study.length == 0) {
      return wrongUsage(err, "a study is missing");
    }
    SparkSettings.complete(conf);
    return StudyCommandLine.execute(
        "resid-spark", out, err, new SparkRowRunner(conf, study), study);
  }

  private static int wrongUsage(PrintWriter err, String sentence) {
    err.println("resid: " + sentence + ".");
    err.println("Try 'resid-spark --help'.");
    err.flush();
    return 2;
  }
}
