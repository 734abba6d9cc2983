package dev.resid.hook;

/** What one call does at one point: an argument of the call, never a state of the model. */
public sealed interface Hook permits Capture, Replace {
  /** Returns where. */
  HookPoint point();
}
