package dev.resid.benchmarks.peers;

import dev.resid.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

// A graph in the format of ONNX (onnx.proto: ModelProto, GraphProto, NodeProto, AttributeProto,
// TensorProto, ValueInfoProto), with its weights inside. The numbers of fields are those of that
// file.
final class OnnxGraph {
  /** Operators of ONNX itself. */
  static final String STANDARD = "";

  /** Operators that ONNX Runtime adds. */
  static final String MICROSOFT = "com.microsoft";

  private static final int FLOAT = 1;
  private static final int INT64 = 7;
  private static final int IR_VERSION = 9;
  private static final int OPERATORS = 20;

  private final List<Protobuf> nodes = new ArrayList<>();
  private final List<Protobuf> initializers = new ArrayList<>();
  private final List<Protobuf> inputs = new ArrayList<>();
  private final List<Protobuf> outputs = new ArrayList<>();
  private final Set<String> named = new HashSet<>();
  private long weightBytes;
  private int count;

  /** An attribute of a node. */
  record Attribute(Protobuf message) {
    private static final int REAL = 1;
    private static final int NUMBER = 2;
    private static final int TEXT = 3;
    private static final int NUMBERS = 7;
    private static final int TYPE = 20;

    static Attribute of(String name, float value) {
      return new Attribute(new Protobuf().text(1, name).real(2, value).number(TYPE, REAL));
    }

    static Attribute of(String name, long value) {
      return new Attribute(new Protobuf().text(1, name).number(3, value).number(TYPE, NUMBER));
    }

    static Attribute of(String name, String value) {
      return new Attribute(new Protobuf().text(1, name).text(4, value).number(TYPE, TEXT));
    }

    static Attribute of(String name, long[] values) {
      Protobuf message = new Protobuf().text(1, name);
      for (long value : values) {
        message.number(8, value);
      }
      return new Attribute(message.number(TYPE, NUMBERS));
    }
  }

  /** Adds an input of floats and returns its name; a size of −1 is any. */
  String input(String name, long... dims) {
    inputs.add(value(name, FLOAT, dims));
    return name;
  }

  /** Adds an input of 64-bit integers and returns its name. */
  String ids(String name, long... dims) {
    inputs.add(value(name, INT64, dims));
    return name;
  }

  /** Makes a value an output. */
  void output(String name, long... dims) {
    outputs.add(value(name, FLOAT, dims));
  }

  /** Adds a weight, once for each name, and returns the name. */
  String weight(String name, Tensor tensor) {
    int[] sizes = tensor.shape().sizes();
    long[] dims = java.util.Arrays.stream(sizes).asLongStream().toArray();
    return weight(name, tensor.toArray(), dims);
  }

  /** Adds a weight, once for each name, and returns the name. */
  String weight(String name, float[] values, long... dims) {
    if (named.add(name)) {
      ByteBuffer bytes =
          ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      weightBytes += bytes.capacity();
      initializers.add(tensor(name, FLOAT, bytes.array(), dims));
    }
    return name;
  }

  /** Adds a constant of 64-bit integers and returns its name. */
  String numbers(long... values) {
    String name = "numbers" + count++;
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    initializers.add(tensor(name, INT64, bytes.array(), values.length));
    return name;
  }

  /** Adds a node with one output and returns the output's name. */
  String node(String domain, String operator, List<String> from, Attribute... attributes) {
    return nodes(domain, operator, from, 1, attributes).getFirst();
  }

  /** Adds a node of ONNX itself with one output and returns the output's name. */
  String node(String operator, String... from) {
    return node(STANDARD, operator, List.of(from));
  }

  /** Adds a node with several outputs and returns their names. */
  List<String> nodes(
      String domain, String operator, List<String> from, int results, Attribute... attributes) {
    Protobuf node = new Protobuf();
    from.forEach(name -> node.text(1, name));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < results; i++) {
      names.add(operator.toLowerCase(java.util.Locale.ROOT) + count++);
      node.text(2, names.getLast());
    }
    node.text(4, operator);
    for (Attribute attribute : attributes) {
      node.message(5, attribute.message());
    }
    node.text(7, domain);
    nodes.add(node);
    return names;
  }

  /** Returns the model as the bytes of a file. Forgets the weights, of which there are many. */
  byte[] toBytes() {
    Protobuf graph = new Protobuf(Math.toIntExact(weightBytes + (1 << 20)));
    nodes.forEach(node -> graph.message(1, node));
    graph.text(2, "resid");
    while (!initializers.isEmpty()) {
      graph.message(5, initializers.removeLast());
    }
    inputs.forEach(input -> graph.message(11, input));
    outputs.forEach(output -> graph.message(12, output));
    return new Protobuf()
        .number(1, IR_VERSION)
        .message(8, new Protobuf().text(1, STANDARD).number(2, OPERATORS))
        .message(8, new Protobuf().text(1, MICROSOFT).number(2, 1))
        .toBytesWithLast(7, graph);
  }

  private static Protobuf tensor(String name, int type, byte[] content, long... dims) {
    Protobuf tensor = new Protobuf(content.length + 256);
    for (long dim : dims) {
      tensor.number(1, dim);
    }
    return tensor.number(2, type).text(8, name).raw(9, content);
  }

  private static Protobuf value(String name, int type, long... dims) {
    Protobuf shape = new Protobuf();
    for (long dim : dims) {
      shape.message(1, dim < 0 ? new Protobuf() : new Protobuf().number(1, dim));
    }
    Protobuf tensorType = new Protobuf().number(1, type).message(2, shape);
    return new Protobuf().text(1, name).message(2, new Protobuf().message(1, tensorType));
  }
}
