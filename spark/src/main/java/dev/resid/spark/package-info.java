/**
 * Runs the blocks of a study as one Apache Spark job. Start at {@link
 * dev.resid.spark.SparkRowRunner}; {@link dev.resid.spark.Main} is the program. May depend on
 * everything but {@code benchmarks}; nothing depends on it.
 */
package dev.resid.spark;
