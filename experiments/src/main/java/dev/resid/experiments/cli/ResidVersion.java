package dev.resid.experiments.cli;

import dev.resid.experiments.result.BuildInfo;
import picocli.CommandLine.IVersionProvider;

/** The text of {@code resid --version}. */
final class ResidVersion implements IVersionProvider {
  /** Called by picocli. */
  ResidVersion() {}

  @Override
  public String[] getVersion() {
    BuildInfo build = BuildInfo.current();
    return new String[] {"resid " + build.version() + " (commit " + build.commit() + ")"};
  }
}
