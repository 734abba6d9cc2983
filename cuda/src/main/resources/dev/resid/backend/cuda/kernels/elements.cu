// Kernels that treat elements one by one, and those that move numbers.
#include "common.cuh"

RESID_KERNEL resid_add(const float* a, const float* b, float* out, i64 n) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    out[i] = a[i] + b[i];
  }
}

RESID_KERNEL resid_add_scaled(const float* a, float factor, const float* b, float* out, i64 n) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    out[i] = fmaf(factor, b[i], a[i]);
  }
}

// Numbers of dev.resid.tensor.Activation, in its order.
#define IDENTITY 0
#define GELU_NEW 1
#define GELU 2
#define GELU_FAST 3
#define QUICK_GELU 4
#define RELU 5
#define SILU 6
#define TANH 7

__device__ inline double logistic(double x) { return 1 / (1 + exp(-x)); }

// sqrt(2 / pi), and the same number as it stands in gelu_fast's formula.
#define ROOT_TWO_OVER_PI 0.79788456080286535588
#define ROOT_TWO_OVER_PI_FAST 0.7978845608
#define CUBIC 0.044715
#define ROOT_HALF 0.70710678118654752440
#define ONE_OVER_ROOT_TWO_PI 0.39894228040143267794

// One half times (1 + tanh u) is the logistic function of 2u, without its cancellation. Inner
// arguments are in float64, which costs little beside reading and writing the element.
__device__ inline float activationValue(int f, float value) {
  double x = value;
  switch (f) {
    case GELU_NEW:
      return (float)(x * logistic(2 * ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x)));
    case GELU:
      return (float)(0.5 * x * erfc(-x * ROOT_HALF));
    case GELU_FAST:
      return (float)(x * logistic(2 * ROOT_TWO_OVER_PI_FAST * x * (1 + CUBIC * x * x)));
    case QUICK_GELU:
      return (float)(x * logistic(1.702 * x));
    case RELU:
      return value != value ? value : value > 0 ? value : 0.0f;
    case SILU:
      return (float)(x * logistic(x));
    case TANH:
      return (float)tanh(x);
    default:
      return value;
  }
}

// The derivative of x times logistic(u(x)).
__device__ inline double gatedSlope(double x, double u, double uSlope) {
  return logistic(u) + x * logistic(u) * logistic(-u) * uSlope;
}

__device__ inline double activationSlope(int f, float value) {
  double x = value;
  switch (f) {
    case GELU_NEW:
      return gatedSlope(
          x,
          2 * ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x),
          2 * ROOT_TWO_OVER_PI * (1 + 3 * CUBIC * x * x));
    case GELU:
      return 0.5 * erfc(-x * ROOT_HALF) + x * exp(-0.5 * x * x) * ONE_OVER_ROOT_TWO_PI;
    case GELU_FAST:
      return gatedSlope(
          x,
          2 * ROOT_TWO_OVER_PI_FAST * x * (1 + CUBIC * x * x),
          2 * ROOT_TWO_OVER_PI_FAST * (1 + 3 * CUBIC * x * x));
    case QUICK_GELU:
      return gatedSlope(x, 1.702 * x, 1.702);
    case RELU:
      return value != value ? x : value > 0 ? 1 : 0;
    case SILU:
      return gatedSlope(x, x, 1);
    case TANH: {
      double t = tanh(x);
      return 1 - t * t;
    }
    default:
      return 1;
  }
}

RESID_KERNEL resid_activate(const float* x, int f, float* out, i64 n) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    out[i] = activationValue(f, x[i]);
  }
}

RESID_KERNEL resid_activate_backward(const float* dOut, const float* x, int f, float* dX, i64 n) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    dX[i] = (float)(dOut[i] * activationSlope(f, x[i]));
  }
}

// out[r, c] = f(out[r, c] + bias[c]), the sum rounded before f.
RESID_KERNEL resid_bias_activate(float* out, const float* bias, int f, i64 n, int C) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    out[i] = activationValue(f, out[i] + bias[i % C]);
  }
}

// Runs of both arrays along an axis: runs of run numbers, at from + o * fromStep and to + o * toStep.
RESID_KERNEL resid_copy_runs(
    const float* from, i64 fromStep, float* to, i64 toStep, i64 run, i64 n) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    i64 o = i / run;
    i64 at = i - o * run;
    to[o * toStep + at] = from[o * fromStep + at];
  }
}

// whole[i, first + j] = part[j, i]: rows of a transposed source, spread over columns.
RESID_KERNEL resid_spread_columns(const float* part, int rows, int in, float* whole, int out, int first) {
  i64 n = (i64)rows * in;
  for (i64 at = firstElement(); at < n; at += elementStride()) {
    int i = (int)(at / rows);
    int j = (int)(at - (i64)i * rows);
    whole[(i64)i * out + first + j] = part[(i64)j * in + i];
  }
}

RESID_KERNEL resid_gather_rows(const float* table, const int* ids, float* out, i64 n, int C) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    i64 r = i / C;
    out[i] = table[(i64)ids[r] * C + (i - r * C)];
  }
}

RESID_KERNEL resid_gather_columns(const float* w, int out, const int* ids, float* to, i64 n, int C) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    i64 r = i / C;
    to[i] = w[(i - r * C) * out + ids[r]];
  }
}

// One block for each row of the table that is named: rows order[starts[g]] .. order[starts[g+1]-1],
// which ascend, are added to row targets[g] one after the other.
RESID_KERNEL resid_scatter_add_rows(
    const float* rows, const int* order, const int* starts, const int* targets, float* table, int C) {
  int g = blockIdx.x;
  float* to = table + (i64)targets[g] * C;
  for (int c = threadIdx.x; c < C; c += blockDim.x) {
    float sum = to[c];
    for (int i = starts[g]; i < starts[g + 1]; i++) {
      sum += rows[(i64)order[i] * C + c];
    }
    to[c] = sum;
  }
}

RESID_KERNEL resid_adamw(
    float* p, const float* g, float* m, float* v, i64 n, double learningRate, double beta1,
    double beta2, double epsilon, double keep, double gradientScale, double correction1,
    double correction2) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    double gradient = g[i] * gradientScale;
    double m1 = beta1 * m[i] + (1 - beta1) * gradient;
    double m2 = beta2 * v[i] + (1 - beta2) * gradient * gradient;
    double direction = m1 / correction1 / (sqrt(m2 / correction2) + epsilon);
    m[i] = (float)m1;
    v[i] = (float)m2;
    p[i] = (float)(p[i] * keep - learningRate * direction);
  }
}
