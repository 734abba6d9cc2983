package dev.resid.io;

import java.util.ArrayList;
import java.util.List;

/** What the known names of a checkpoint mean: views of storages that lie in the archive. */
final class TorchCalls implements PickleMachine.Calls {
  /** A view may repeat its numbers (stride 0), but not to much more than the file itself. */
  private static final long MAX_REPEATED_BYTES = 64L << 20;

  private static final int MAX_RANK = 255;

  private final ZipArchive zip;
  private final String prefix;

  /**
   * Prepares for one archive.
   *
   * @param zip the archive
   * @param prefix folder of {@code data.pkl} in it, with its slash, or empty
   */
  TorchCalls(ZipArchive zip, String prefix) {
    this.zip = zip;
    this.prefix = prefix;
  }

  @Override
  public PickleValue reduce(TorchGlobal function, List<PickleValue> arguments)
      throws PickleMachine.BadPickle {
    return switch (function) {
      case ORDERED_DICT -> {
        expect(arguments.isEmpty(), "OrderedDict is called with arguments, expected none");
        yield new PickleValue.Dictionary();
      }
      case SIZE -> {
        expect(
            arguments.size() == 1 && arguments.getFirst() instanceof PickleValue.Sequence,
            "torch.Size must be called with one tuple");
        yield arguments.getFirst();
      }
      case DEVICE -> new PickleValue.Scalar(device(arguments));
      case REBUILD_TENSOR -> tensor(arguments);
      case REBUILD_PARAMETER -> {
        expect(
            arguments.size() == 3 && arguments.getFirst() instanceof PickleValue.View,
            "_rebuild_parameter must be called with a tensor, a flag and hooks");
        yield arguments.getFirst();
      }
      default -> throw new PickleMachine.BadPickle("it calls " + function.dotted());
    };
  }

  @Override
  public PickleValue persistent(PickleValue id) throws PickleMachine.BadPickle {
    if (!(id instanceof PickleValue.Sequence tuple)
        || tuple.items().size() != 5
        || !(tuple.items().get(0) instanceof PickleValue.Scalar(String kind))
        || !kind.equals("storage")
        || !(tuple.items().get(1) instanceof PickleValue.Known(TorchGlobal type))
        || type.storage() == null
        || !(tuple.items().get(2) instanceof PickleValue.Scalar(String key))
        || !(tuple.items().get(4) instanceof PickleValue.Scalar(Long count))) {
      throw new PickleMachine.BadPickle(
          "a persistent id must be ('storage', storage class, key, device, element count)");
    }
    ZipArchive.Entry entry = zip.entries().get(prefix + "data/" + key);
    expect(entry != null, "the archive has no data for storage " + Printable.quoted(key));
    expect(
        count >= 0 && count <= entry.size() / type.storage().bytes(),
        "storage "
            + Printable.quoted(key)
            + " claims "
            + count
            + " values of "
            + type.storage()
            + ", its data has "
            + entry.size()
            + " bytes");
    return new PickleValue.Storage(type.storage(), entry, count);
  }

  private PickleValue tensor(List<PickleValue> arguments) throws PickleMachine.BadPickle {
    if (arguments.size() < 6
        || arguments.size() > 7
        || !(arguments.get(0) instanceof PickleValue.Storage storage)
        || !(arguments.get(1) instanceof PickleValue.Scalar(Long offset))) {
      throw new PickleMachine.BadPickle(
          "_rebuild_tensor_v2 must be called with a storage, an offset, sizes and strides");
    }
    List<Long> sizes = numbers(arguments.get(2), "sizes");
    List<Long> strides = numbers(arguments.get(3), "strides");
    expect(
        sizes.size() == strides.size(),
        "a tensor has " + sizes.size() + " sizes and " + strides.size() + " strides");
    PickleValue.View view = new PickleValue.View(storage, offset, sizes, strides);
    String what =
        "a tensor of sizes "
            + Printable.numbers(sizes)
            + ", strides "
            + Printable.numbers(strides)
            + " and offset "
            + offset
            + " in a storage of "
            + storage.count()
            + " values";
    try {
      long bytes = storage.dtype().bytes();
      for (long size : sizes) {
        bytes = Math.multiplyExact(bytes, size);
      }
      long span = view.span();
      expect(
          offset >= 0 && offset <= storage.count() && span <= storage.count() - offset,
          what + " reaches out of it");
      expect(
          bytes <= Math.addExact(zip.bytes().byteSize(), MAX_REPEATED_BYTES),
          what + " repeats its values to " + bytes + " bytes, far more than the file has");
    } catch (ArithmeticException e) {
      throw new PickleMachine.BadPickle(what + " exceeds 64 bits");
    }
    return view;
  }

  private static List<Long> numbers(PickleValue value, String what) throws PickleMachine.BadPickle {
    if (!(value instanceof PickleValue.Sequence sequence) || sequence.items().size() > MAX_RANK) {
      throw new PickleMachine.BadPickle(
          "the " + what + " of a tensor must be a tuple of at most " + MAX_RANK);
    }
    List<Long> numbers = new ArrayList<>();
    for (PickleValue item : sequence.items()) {
      if (!(item instanceof PickleValue.Scalar(Long number)) || number < 0) {
        throw new PickleMachine.BadPickle(
            "the " + what + " of a tensor must be integers from 0 up");
      }
      numbers.add(number);
    }
    return List.copyOf(numbers);
  }

  private static String device(List<PickleValue> arguments) throws PickleMachine.BadPickle {
    if (arguments.size() == 1 && arguments.get(0) instanceof PickleValue.Scalar(String type)) {
      return type;
    }
    if (arguments.size() == 2
        && arguments.get(0) instanceof PickleValue.Scalar(String type)
        && arguments.get(1) instanceof PickleValue.Scalar(Long index)) {
      return type + ":" + index;
    }
    throw new PickleMachine.BadPickle("torch.device must be called with a type and an index");
  }

  private static void expect(boolean condition, String rule) throws PickleMachine.BadPickle {
    if (!condition) {
      throw new PickleMachine.BadPickle(rule);
    }
  }
}
