/**
 * The backend on NVIDIA GPUs. Start at {@link dev.resid.backend.cuda.CudaBackendProvider}, which
 * {@link java.util.ServiceLoader} finds, and at {@code CudaBackend}, which hands each kernel to the
 * class of its concern. The kernels are in {@code kernels/*.cu} beside this package's classes. May
 * depend on {@code backend}, {@code tensor} and JCuda, and is the only package that knows JCuda.
 */
package dev.resid.backend.cuda;
