package dev.resid.benchmarks.peers;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.Workload;
import java.util.List;

/** OpenBLAS through JavaCPP. Its threads are those of the variable OPENBLAS_NUM_THREADS. */
public final class OpenBlasPeer implements Peer {
  /** Called by the service loader. */
  public OpenBlasPeer() {}

  @Override
  public String name() {
    String core = System.getenv("OPENBLAS_CORETYPE");
    return "OpenBLAS 0.3.30" + (core == null ? "" : " (" + core + ")");
  }

  @Override
  public List<Engine> engines(Workload workload, int threads) {
    return workload instanceof ProductWork product
        ? List.of(
            new BlasEngine(
                name(),
                product,
                (m, n, k, a, b, c) ->
                    cblas_sgemm(
                        CblasRowMajor,
                        CblasNoTrans,
                        CblasNoTrans,
                        m,
                        n,
                        k,
                        1,
                        a,
                        k,
                        b,
                        n,
                        0,
                        c,
                        n)))
        : List.of();
  }
}
