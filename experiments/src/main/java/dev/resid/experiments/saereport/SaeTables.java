package dev.resid.experiments.saereport;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.sae.metric.FrequencyHistogram;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.SaeSums;
import dev.resid.sae.metric.TokenScope;
import java.util.List;
import java.util.OptionalDouble;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The numbers of a report as tables and JSON. */
final class SaeTables {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final SaeReport report;

  SaeTables(SaeReport report) {
    this.report = report;
  }

  /** Returns one row a metric; metrics that do not exist here are left out. */
  ResultTable metrics(SaeMetric.Group... groups) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("metric", Type.TEXT, "Name of the metric."),
                new Column("all", Type.NUMBER, "Its value over all positions."),
                new Column(
                    "without_first",
                    Type.NUMBER,
                    "Its value over all positions but the first of each row."),
                new Column("unit", Type.TEXT, "Its unit; empty for a ratio."),
                new Column("definition", Type.TEXT, "What it is.")));
    for (SaeMetric metric : SaeMetric.values()) {
      OptionalDouble all = report.find(metric, TokenScope.ALL);
      OptionalDouble rest = report.find(metric, TokenScope.WITHOUT_FIRST);
      if (List.of(groups).contains(metric.group()) && all.isPresent() && rest.isPresent()) {
        table.add(
            metric.key(),
            all.getAsDouble(),
            rest.getAsDouble(),
            metric.unit(),
            metric.definition());
      }
    }
    return table;
  }

  /** Returns the same as people read it; of metrics that exist for one scope only, that. */
  ResultTable shown(SaeMetric.Group group) {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("metric", Type.TEXT, "Name of the metric."),
                new Column("all", Type.TEXT, "Its value over all positions."),
                new Column(
                    "without_first",
                    Type.TEXT,
                    "Its value over all positions but the first of each row."),
                new Column("unit", Type.TEXT, "Its unit; empty for a ratio."),
                new Column("definition", Type.TEXT, "What it is.")));
    for (SaeMetric metric : SaeMetric.values()) {
      OptionalDouble all = report.find(metric, TokenScope.ALL);
      OptionalDouble rest = report.find(metric, TokenScope.WITHOUT_FIRST);
      if (metric.group() == group && (all.isPresent() || rest.isPresent())) {
        table.add(metric.key(), shown(all), shown(rest), metric.unit(), metric.definition());
      }
    }
    return table;
  }

  private static String shown(OptionalDouble value) {
    return value.isPresent() ? shown(value.getAsDouble()) : "–";
  }

  /** Returns a number with four significant digits, a whole one with all of its digits. */
  static String shown(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Numbers.grouped((long) value)
        : Numbers.significant(value, 4);
  }

  /** Returns one row a feature. */
  ResultTable features() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("feature", Type.WHOLE, "Its number."),
                new Column("active_tokens", Type.WHOLE, "Tokens on which it is not 0."),
                new Column("frequency", Type.NUMBER, "Those over all tokens."),
                new Column(
                    "frequency_without_first",
                    Type.NUMBER,
                    "The same over all tokens but the first of each row."),
                new Column("active_rows", Type.WHOLE, "Rows in which it is not 0 at least once."),
                new Column(
                    "mean_where_active",
                    Type.NUMBER,
                    "Mean activation over the tokens on which it is not 0; 0 for a dead one."),
                new Column("largest", Type.NUMBER, "Its largest activation."),
                new Column(
                    "encoder_decoder_cosine",
                    Type.NUMBER,
                    "Cosine of its encoder and decoder directions; 0 where they differ in"
                        + " width.")));
    SaeSums sums = report.sums();
    long[] tokens = sums.activeTokens(TokenScope.ALL);
    long[] rows = sums.activeRows();
    double[] frequency = report.frequencies(TokenScope.ALL);
    double[] rest =
        sums.tokens(TokenScope.WITHOUT_FIRST) == 0
            ? new double[tokens.length]
            : report.frequencies(TokenScope.WITHOUT_FIRST);
    double[] means = sums.meanWhereActive();
    double[] largest = sums.largest();
    double[] cosines = report.encoderDecoderCosines().orElse(new double[tokens.length]);
    for (int i = 0; i < tokens.length; i++) {
      table.add(
          (long) i, tokens[i], frequency[i], rest[i], rows[i], means[i], largest[i], cosines[i]);
    }
    return table;
  }

  /** Returns one row a bin of the frequency histogram. */
  ResultTable frequencies() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("positions", Type.TEXT, "Over which tokens: all or without_first."),
                new Column("from", Type.NUMBER, "Lower edge of the frequency; 0 for dead ones."),
                new Column("to", Type.NUMBER, "Upper edge; 0 for dead features."),
                new Column("features", Type.WHOLE, "Features whose frequency lies between.")));
    for (TokenScope scope : TokenScope.values()) {
      if (report.sums().tokens(scope) == 0) {
        continue;
      }
      FrequencyHistogram histogram = report.histogram(scope);
      table.add(scope.key(), 0.0, 0.0, histogram.dead());
      for (int b = 0; b < histogram.counts().length; b++) {
        table.add(
            scope.key(), histogram.edges()[b], histogram.edges()[b + 1], histogram.counts()[b]);
      }
    }
    return table;
  }

  /**
   * Returns every metric by name under {@code all} and {@code without_first}; null if undefined.
   */
  String json(String sae, String sha256) {
    ObjectNode json = JSON.createObjectNode();
    json.put("format", "resid-sae-report/1").put("sae", sae).put("sae_sha256", sha256);
    json.put("d_sae", report.sums().dSae());
    for (TokenScope scope : TokenScope.values()) {
      ObjectNode values = json.putObject(scope.key());
      for (SaeMetric metric : SaeMetric.values()) {
        put(values, metric.key(), report.find(metric, scope));
      }
    }
    put(json, "mean_encoder_decoder_cosine", report.meanEncoderDecoderCosine());
    return JSON.writeValueAsString(json) + "\n";
  }

  private static void put(ObjectNode node, String key, OptionalDouble value) {
    node.put(key, value.isPresent() ? Double.valueOf(value.getAsDouble()) : null);
  }
}
