package dev.resid.experiments.reproduce;

import dev.resid.hook.HookPoint;
import java.util.List;

/**
 * An SAE that published numbers are about.
 *
 * @param name unique
 * @param family SAEs of one family are drawn together
 * @param catalogue its names in the catalogue of releases; may be empty
 * @param point the activation it reads
 * @param dSae number of features
 * @param source where its files are published
 */
public record PublishedSae(
    String name, String family, List<String> catalogue, HookPoint point, int dSae, String source) {
  /** Copies the list. */
  public PublishedSae {
    catalogue = List.copyOf(catalogue);
  }

  /** Returns the last part of the name, which tables of studies use. */
  String shortName() {
    return name.substring(name.lastIndexOf('/') + 1);
  }
}
