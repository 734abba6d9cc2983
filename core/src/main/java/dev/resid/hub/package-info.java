/**
 * Files of the Hugging Face hub, in the cache that Python's tools use: what they fetched is found,
 * and they find what is fetched here. Start at {@link dev.resid.hub.HubCache}; where the cache is,
 * which server is asked and with which token is {@link dev.resid.hub.HubSettings}. Knows no model:
 * which files belong together is said by {@link dev.resid.hub.HubFiles}. May depend on {@code io}
 * and {@code progress}.
 */
package dev.resid.hub;
