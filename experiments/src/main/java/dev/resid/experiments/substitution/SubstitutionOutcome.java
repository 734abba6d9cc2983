package dev.resid.experiments.substitution;

import dev.resid.experiments.report.Section.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a run left behind.
 *
 * @param folder its output folder
 * @param report the page, unless this was one of several shards
 * @param findings the source's expectations and what was found; none for a shard
 */
public record SubstitutionOutcome(Path folder, Optional<Path> report, List<Finding> findings) {
  /** Copies the list. */
  public SubstitutionOutcome {
    findings = List.copyOf(findings);
  }

  static SubstitutionOutcome ofShard(Path folder) {
    return new SubstitutionOutcome(folder, Optional.empty(), List.of());
  }
}
