package dev.resid.benchmarks.peers;

import static org.bytedeco.mkl.global.mkl_rt.CblasNoTrans;
import static org.bytedeco.mkl.global.mkl_rt.CblasRowMajor;
import static org.bytedeco.mkl.global.mkl_rt.cblas_sgemm;

import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.Peer;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.Workload;
import java.util.List;

/** Intel's MKL through JavaCPP. Its threads are those of the variable MKL_NUM_THREADS. */
public final class MklPeer implements Peer {
  /** Called by the service loader. */
  public MklPeer() {}

  @Override
  public String name() {
    return "MKL 2025.2";
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
