package dev.resid.benchmarks.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.resid.benchmarks.peers.OnnxGpt2.Operators;
import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.LongStream;

/** Decoding by ONNX Runtime: its attention takes earlier keys and values, and gives them back. */
final class OnnxDecoder implements DecodeWork.Decoder {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final Gpt2Config config;
  private final OrtSession session;
  private final List<String> past = new ArrayList<>();
  private final List<String> present = new ArrayList<>();
  private final String logits;

  OnnxDecoder(Gpt2Weights weights, int threads) throws OrtException {
    config = weights.config();
    OnnxGraph graph = new OnnxGraph();
    OnnxGpt2 gpt2 = new OnnxGpt2(graph, weights, Operators.FUSED, 1, config.nCtx());
    long any = -1;
    for (int layer = 0; layer < config.nLayers(); layer++) {
      past.add(graph.input("past" + layer, 2, 1, config.nHeads(), any, config.dHead()));
    }
    gpt2.cached(past, present);
    String stream = gpt2.embed(graph.ids("ids", 1, any), graph.ids("positions", 1, any));
    logits = gpt2.logits(gpt2.blocks(stream, 0, config.nLayers()));
    graph.output(logits, 1, any, config.dVocab());
    for (String name : present) {
      graph.output(name, 2, 1, config.nHeads(), any, config.dHead());
    }
    session = OnnxPeer.session(environment, graph, threads);
  }

  @Override
  public int[] decode(int[] from, int tokens, IntConsumer listener) {
    int[] chosen = new int[tokens];
    long[] ids = java.util.Arrays.stream(from).asLongStream().toArray();
    int first = 0;
    OrtSession.Result before = null;
    try {
      for (int i = 0; i < tokens; i++) {
        OrtSession.Result result = step(ids, first, before);
        if (before != null) {
          before.close();
        }
        before = result;
        first += ids.length;
        chosen[i] = largest(result, ids.length - 1);
        listener.accept(chosen[i]);
        ids = new long[] {chosen[i]};
      }
      return chosen;
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
    } finally {
      if (before != null) {
        before.close();
      }
    }
  }

  private OrtSession.Result step(long[] ids, int first, OrtSession.Result before)
      throws OrtException {
    long[] positions = LongStream.range(first, first + ids.length).toArray();
    long[] dims = {1, ids.length};
    Map<String, OnnxTensor> arguments = new HashMap<>();
    try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), dims);
        OnnxTensor positionTensor =
            OnnxTensor.createTensor(environment, LongBuffer.wrap(positions), dims);
        OnnxTensor nothing =
            OnnxTensor.createTensor(
                environment,
                FloatBuffer.allocate(0),
                new long[] {2, 1, config.nHeads(), 0, config.dHead()})) {
      arguments.put("ids", idTensor);
      arguments.put("positions", positionTensor);
      for (int layer = 0; layer < past.size(); layer++) {
        arguments.put(
            past.get(layer),
            before == null ? nothing : (OnnxTensor) before.get(present.get(layer)).orElseThrow());
      }
      return session.run(arguments);
    }
  }

  private int largest(OrtSession.Result result, int position) {
    FloatBuffer all = ((OnnxTensor) result.get(logits).orElseThrow()).getFloatBuffer();
    int from = position * config.dVocab();
    int best = from;
    for (int i = from; i < from + config.dVocab(); i++) {
      best = all.get(i) > all.get(best) ? i : best;
    }
    return best - from;
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException("ONNX Runtime: " + e.getMessage(), e);
    }
  }
}
