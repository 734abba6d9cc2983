package dev.resid.hook;

/** What one call does at one point: an argument of the call, never a state of the model. */
public sealed interface Hook permits Capture, Replace {
  /** Returns where. */
  HookPoint point();

  /**
   * Returns some hooks and others after them, for a call that takes both.
   *
   * @param some for example those of {@link Capture#each}, or of an SAE
   * @param more the others
   */
  static Hook[] join(Hook[] some, Hook... more) {
    Hook[] all = new Hook[some.length + more.length];
    System.arraycopy(some, 0, all, 0, some.length);
    System.arraycopy(more, 0, all, some.length, more.length);
    return all;
  }
}
