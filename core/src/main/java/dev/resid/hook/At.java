package dev.resid.hook;

/**
 * Where a forward pass is when it calls an intervention.
 *
 * @param point the hook point
 * @param firstPosition true position of index 0 of axis {@code pos}: 0 in a full pass, the number
 *     of positions already cached in incremental decoding, the first changed position in a
 *     continuation
 */
public record At(HookPoint point, int firstPosition) {}
