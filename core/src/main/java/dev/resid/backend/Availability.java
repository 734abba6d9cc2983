package dev.resid.backend;

/** Whether a backend can be opened here. */
public sealed interface Availability {
  /**
   * It can.
   *
   * @param description one line: what it would run on
   */
  record Available(String description) implements Availability {}

  /**
   * It cannot.
   *
   * @param reason why not, as a clause
   * @param fix what to do about it, as a sentence
   */
  record Unavailable(String reason, String fix) implements Availability {}
}
