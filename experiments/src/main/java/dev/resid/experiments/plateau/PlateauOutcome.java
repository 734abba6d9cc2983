package dev.resid.experiments.plateau;

import dev.resid.experiments.report.Section.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a run left behind.
 *
 * @param folder its output folder
 * @param report the page, unless this was one of several shards
 * @param findings the source's claims and what was found; none for a shard
 */
public record PlateauOutcome(Path folder, Optional<Path> report, List<Finding> findings) {
  /** Copies the list. */
  public PlateauOutcome {
    findings = List.copyOf(findings);
  }

  static PlateauOutcome ofShard(Path folder) {
    return new PlateauOutcome(folder, Optional.empty(), List.of());
  }
}
