package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.Curve.Role;

/**
 * Step statistics that were published for GPT-2 small with the Bloom SAE at {@code resid_pre[1]}:
 * mean ± standard deviation over prompts.
 *
 * @source outputs of the published notebooks of Giglemiani, Petrova et al. 2024 (arXiv 2409.15019):
 *     relative steps and starts from 1000 prompts; absolute steps from 2000 prompts, version of 6
 *     September 2024, with steps of 0.505
 */
final class Published {
  private Published() {}

  /** Returns what was published for a statistic of a way, empty where nothing was. */
  static String of(Curve curve, StepKind kind) {
    if (curve.role() == Role.BASE) {
      return kind == StepKind.AP_L2 ? plateau(curve.kind()) : "";
    }
    if (curve.regime() == Regime.ABSOLUTE) {
      return kind == StepKind.MS_L2 ? absolute(curve.kind()) : "";
    }
    return switch (kind) {
      case MS_L2 -> maxSlope(curve.kind());
      case MS_KL ->
          four(curve.kind(), "56.34 ± 9.08", "71.83 ± 11.75", "61.86 ± 13.51", "62.41 ± 12.05");
      case AUC_L2 ->
          four(curve.kind(), "51.98 ± 9.64", "64.97 ± 16.01", "54.84 ± 15.51", "56.66 ± 13.20");
      case NL_L2 ->
          four(curve.kind(), "29.98 ± 9.95", "36.33 ± 12.33", "33.69 ± 13.44", "37.91 ± 10.96");
      default -> "";
    };
  }

  private static String plateau(TargetKind kind) {
    return four(kind, "15.12 ± 8.62", "8.33 ± 3.80", "7.76 ± 3.76", "6.18 ± 3.13");
  }

  private static String absolute(TargetKind kind) {
    return four(kind, "41.12 ± 10.53", "52.06 ± 10.94", "43.29 ± 12.87", "");
  }

  private static String maxSlope(TargetKind kind) {
    return switch (kind) {
      case SAE_RECONSTRUCTION -> "53.34 ± 8.39";
      case SINGLE_FEATURE -> "53.60 ± 13.90";
      case BAG_OF_FEATURES -> "55.25 ± 8.74";
      case SYNTHETIC_STRUCTURED_V1 -> "54.47 ± 10.68";
      default -> four(kind, "51.60 ± 7.82", "65.01 ± 11.19", "55.69 ± 11.53", "56.87 ± 11.40");
    };
  }

  private static String four(
      TargetKind kind, String real, String random, String structured, String baseline) {
    return switch (kind) {
      case MODEL_GENERATED -> real;
      case RANDOM -> random;
      case SYNTHETIC_STRUCTURED -> structured;
      case SYNTHETIC_BASELINE -> baseline;
      default -> "";
    };
  }
}
