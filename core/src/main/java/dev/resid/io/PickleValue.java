package dev.resid.io;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Everything the restricted pickle machine can make: data, and names of what it knows. */
sealed interface PickleValue {
  /** Python's None. */
  enum None implements PickleValue {
    NONE
  }

  /**
   * A number, boolean or string.
   *
   * @param value a Long, Double, Boolean or String
   */
  record Scalar(Object value) implements PickleValue {}

  /** A list or tuple. Compared by identity: a hostile list may contain itself. */
  final class Sequence implements PickleValue {
    private final List<PickleValue> items;

    Sequence(List<PickleValue> items) {
      this.items = new ArrayList<>(items);
    }

    List<PickleValue> items() {
      return items;
    }
  }

  /** A dict or OrderedDict. Compared by identity. */
  final class Dictionary implements PickleValue {
    private final Map<Scalar, PickleValue> items = new LinkedHashMap<>(4);

    Map<Scalar, PickleValue> items() {
      return items;
    }
  }

  /**
   * A function or class that is known by name and never run.
   *
   * @param global which
   */
  record Known(TorchGlobal global) implements PickleValue {}

  /**
   * Numbers in an entry of the archive.
   *
   * @param dtype their dtype
   * @param entry where they are
   * @param count how many there are
   */
  record Storage(DType dtype, ZipArchive.Entry entry, long count) implements PickleValue {}

  /**
   * A tensor: a view of a storage whose every element has been checked to lie in it.
   *
   * @param storage the numbers
   * @param offset index of the first element
   * @param sizes of the axes
   * @param strides of the axes
   */
  record View(Storage storage, long offset, List<Long> sizes, List<Long> strides)
      implements PickleValue {
    /** Returns how many numbers of the storage lie between the first and last element. */
    long span() {
      long last = 0;
      for (int i = 0; i < sizes.size(); i++) {
        if (sizes.get(i) == 0) {
          return 0;
        }
        last = Math.addExact(last, Math.multiplyExact(sizes.get(i) - 1, strides.get(i)));
      }
      return Math.addExact(last, 1L);
    }

    /** Returns whether the elements lie one after another. */
    boolean isContiguous() {
      long expected = 1;
      for (int i = sizes.size() - 1; i >= 0; i--) {
        if (sizes.get(i) != 1 && strides.get(i) != expected) {
          return false;
        }
        expected *= sizes.get(i);
      }
      return true;
    }
  }
}
