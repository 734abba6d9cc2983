package dev.resid.io;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The names a checkpoint may refer to. There are no others, and none of them is ever run. */
enum TorchGlobal {
  ORDERED_DICT("collections OrderedDict", null),
  REBUILD_TENSOR("torch._utils _rebuild_tensor_v2", null),
  REBUILD_PARAMETER("torch._utils _rebuild_parameter", null),
  SIZE("torch Size", null),
  DEVICE("torch device", null),
  DOUBLE_STORAGE("torch DoubleStorage", DType.F64),
  FLOAT_STORAGE("torch FloatStorage", DType.F32),
  HALF_STORAGE("torch HalfStorage", DType.F16),
  BFLOAT16_STORAGE("torch BFloat16Storage", DType.BF16),
  LONG_STORAGE("torch LongStorage", DType.I64),
  INT_STORAGE("torch IntStorage", DType.I32),
  SHORT_STORAGE("torch ShortStorage", DType.I16),
  CHAR_STORAGE("torch CharStorage", DType.I8),
  BYTE_STORAGE("torch ByteStorage", DType.U8),
  BOOL_STORAGE("torch BoolStorage", DType.BOOL),
  FLOAT64("torch float64", null),
  FLOAT32("torch float32", null),
  FLOAT16("torch float16", null),
  BFLOAT16("torch bfloat16", null),
  INT64("torch int64", null),
  INT32("torch int32", null),
  INT16("torch int16", null),
  INT8("torch int8", null),
  UINT8("torch uint8", null),
  BOOL("torch bool", null);

  private static final Map<String, TorchGlobal> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(g -> g.qualified, Function.identity()));

  private final String qualified;
  private final DType storage;

  TorchGlobal(String qualified, DType storage) {
    this.qualified = qualified;
    this.storage = storage;
  }

  static Optional<TorchGlobal> named(String module, String name) {
    return Optional.ofNullable(BY_NAME.get(module + " " + name));
  }

  /** Returns the dtype of a storage class, or null for anything else. */
  DType storage() {
    return storage;
  }

  /** Returns whether this names a dtype, which is kept as a string. */
  boolean isDtype() {
    return ordinal() >= FLOAT64.ordinal();
  }

  /** Returns the name as Python writes it, for example {@code torch.float32}. */
  String dotted() {
    return qualified.replace(' ', '.');
  }
}
