// A tour in JShell, from a built source tree (mvn -DskipTests package):
//
//   jshell --add-modules jdk.incubator.vector -R--add-modules=jdk.incubator.vector \
//     --class-path "$(echo experiments/target/lib/*.jar | tr ' ' ':')" examples/tour.jsh

import dev.resid.backend.Backends
import dev.resid.hook.HookPoint
import dev.resid.metric.KlDivergence
import dev.resid.metric.TopTokens
import dev.resid.model.Gpt2
import dev.resid.tensor.Axis
import dev.resid.tensor.Tensor

// the model that ships
var backend = Backends.fastest()
var gpt2 = Gpt2.embedded(backend)
var tokens = gpt2.tokenizer().encode("The captain looked at the sea and said")

// run it, keep one activation
var run = gpt2.forward(tokens, HookPoint.residPost(3).capture())
var resid = run.cache().get(HookPoint.residPost(3))
var last = tokens.length(0) - 1
var next = TopTokens.at(run.logits(), 0, last, 5, gpt2.tokenizer())

// silence one head and see what that changes, in nats at every position
var without = gpt2.forward(tokens, HookPoint.z(2).replace((z, at) -> z.with(Axis.HEAD, 0, Tensor.zeros(z.shape().without(Axis.HEAD)))))
var kl = KlDivergence.nats(run.logits(), without.logits())

// write on
var text = gpt2.generator(dev.resid.model.Sampling.greedy()).generate("Once upon a time", 12)
