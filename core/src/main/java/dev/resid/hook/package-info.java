/**
 * Names of activations, and hooks on them as values. Start at {@link dev.resid.hook.Site}, the one
 * table of activations, and {@link dev.resid.hook.HookPoint}. May depend on {@code tensor} only.
 */
package dev.resid.hook;
