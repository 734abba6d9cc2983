package dev.resid.backend.vector;

import dev.resid.backend.BackendOptions;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Loads this package once more for another vector width than the machine's; see {@link Lanes} for
 * the reason. Everything outside the package is shared, so the copy's backend is an ordinary {@link
 * Backend}.
 */
final class WidthLoader extends ClassLoader {
  private static final Map<Integer, WidthLoader> LOADERS = new ConcurrentHashMap<>();
  private static final String PACKAGE = WidthLoader.class.getPackageName() + ".";

  private WidthLoader(int bits) {
    super(WidthNames.nameOf(bits), WidthLoader.class.getClassLoader());
  }

  static Backend open(BackendOptions options) {
    return open(options, new Class<?>[] {BackendOptions.class}, options);
  }

  /** As {@link VectorBackend#open(BackendOptions, long)}. */
  static Backend open(BackendOptions options, long plainNanos) {
    Class<?>[] parameters = {BackendOptions.class, long.class};
    return open(options, parameters, options, plainNanos);
  }

  private static Backend open(BackendOptions options, Class<?>[] parameters, Object... arguments) {
    WidthLoader loader = LOADERS.computeIfAbsent(options.vectorBits(), WidthLoader::new);
    try {
      Class<?> copy = loader.loadClass(VectorBackend.class.getName());
      Method open = copy.getDeclaredMethod("open", parameters);
      open.setAccessible(true);
      return (Backend) open.invoke(null, arguments);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot load the kernels for " + options, e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(PACKAGE)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      return loaded != null ? loaded : define(name);
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    String file = name.substring(PACKAGE.length()) + ".class";
    try (InputStream in = WidthLoader.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] code = in.readAllBytes();
      return defineClass(name, code, 0, code.length);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }
}
