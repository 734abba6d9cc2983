package dev.resid.experiments.saereport;

import dev.resid.sae.metric.SaeReport;
import java.nio.file.Path;

/**
 * What a run found.
 *
 * @param page the report page
 * @param report the numbers
 */
public record SaeEvaluationOutcome(Path page, SaeReport report) {}
