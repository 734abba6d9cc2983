package dev.resid.backend.cuda;

import static dev.resid.tensor.OperandChecks.requireElements;
import static dev.resid.tensor.OperandChecks.requireLike;

import dev.resid.tensor.Activation;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Tensor;

/** What treats elements one by one. See {@code elements.cu}. */
final class ElementKernels {
  private final Calls calls;

  ElementKernels(Calls calls) {
    this.calls = calls;
  }

  void activate(Tensor x, Activation activation, Tensor out) {
    requireLike("out", out, x);
    calls.run(
        call ->
            call.launch("resid_activate")
                .pointer(call.in(x))
                .number(activation.ordinal())
                .pointer(call.out("out", out))
                .elements(x.elements()));
  }

  void activateBackward(Tensor dOut, Tensor x, Activation activation, Tensor dX) {
    requireLike("x", x, dOut);
    requireLike("dX", dX, dOut);
    calls.run(
        call ->
            call.launch("resid_activate_backward")
                .pointer(call.in(dOut))
                .pointer(call.in(x))
                .number(activation.ordinal())
                .pointer(call.out("dX", dX))
                .elements(x.elements()));
  }

  void add(Tensor a, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    calls.run(
        call ->
            call.launch("resid_add")
                .pointer(call.in(a))
                .pointer(call.in(b))
                .pointer(call.out("out", out))
                .elements(a.elements()));
  }

  void addScaled(Tensor a, double factor, Tensor b, Tensor out) {
    requireLike("b", b, a);
    requireLike("out", out, a);
    calls.run(
        call ->
            call.launch("resid_add_scaled")
                .pointer(call.in(a))
                .number((float) factor)
                .pointer(call.in(b))
                .pointer(call.out("out", out))
                .elements(a.elements()));
  }

  void adamW(AdamStep step, Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {
    long n = parameter.elements();
    requireElements("gradient", gradient, n);
    requireElements("moment1", moment1, n);
    requireElements("moment2", moment2, n);
    calls.run(
        call ->
            call.launch("resid_adamw")
                .pointer(call.inOut("parameter", parameter))
                .pointer(call.in(gradient))
                .pointer(call.inOut("moment1", moment1))
                .pointer(call.inOut("moment2", moment2))
                .number(n)
                .number(step.learningRate())
                .number(step.beta1())
                .number(step.beta2())
                .number(step.epsilon())
                .number(1 - step.learningRate() * step.weightDecay())
                .number(step.gradientScale())
                .number(1 - StrictMath.pow(step.beta1(), step.step()))
                .number(1 - StrictMath.pow(step.beta2(), step.step()))
                .overElements(n));
  }
}
