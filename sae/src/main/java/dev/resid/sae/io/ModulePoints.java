package dev.resid.sae.io;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Activations by the names that libraries without TransformerLens use. */
final class ModulePoints {
  /** Names of dictionary_learning's scripts. */
  private static final Pattern NAMED =
      Pattern.compile("(resid_pre|resid_post|attn_out|mlp_out)_layer_(\\d{1,6})");

  /** A module of Hugging Face's GPT-2, by what it returns. */
  private static final Pattern MODULE =
      Pattern.compile("(?:transformer\\.)?h\\.(\\d{1,6})(?:\\.(attn|mlp))?");

  private ModulePoints() {}

  /** Returns the point of a module's name, if it is one of GPT-2. */
  static Optional<HookPoint> named(String name) {
    Matcher named = NAMED.matcher(name);
    if (named.matches()) {
      return Optional.of(HookPoint.parse("blocks." + named.group(2) + ".hook_" + named.group(1)));
    }
    Matcher module = MODULE.matcher(name);
    if (!module.matches()) {
      return Optional.empty();
    }
    int layer = Integer.parseInt(module.group(1));
    String part = module.group(2);
    Site site = part == null ? Site.RESID_POST : part.equals("attn") ? Site.ATTN_OUT : Site.MLP_OUT;
    return Optional.of(HookPoint.at(site, layer));
  }

  /** Returns what the module is given that returns the activation at a point of {@link #named}. */
  static HookPoint inputOf(HookPoint returned) {
    Site site =
        switch (returned.site()) {
          case ATTN_OUT -> Site.LN1_NORMALIZED;
          case MLP_OUT -> Site.LN2_NORMALIZED;
          default -> Site.RESID_PRE;
        };
    return HookPoint.at(site, returned.layer());
  }

  /**
   * Returns the point that a trainer's configuration states.
   *
   * @throws SaeCheckpointException if its layer is another
   */
  static Optional<HookPoint> find(SaeJson trainer) throws SaeCheckpointException {
    Optional<HookPoint> point = trainer.text("submodule_name").flatMap(ModulePoints::named);
    OptionalInt layer = trainer.integer("layer");
    if (point.isPresent() && layer.isPresent() && layer.getAsInt() != point.get().layer()) {
      throw trainer.error(
          "layer",
          "is "
              + layer.getAsInt()
              + " but submodule_name is "
              + trainer.value("submodule_name")
              + ". Correct the file");
    }
    return point;
  }
}
