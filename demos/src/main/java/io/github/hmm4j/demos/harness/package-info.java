/// What demos and benchmarks have in common: [Demo] and [Bench], what they are told ([RunContext]), and what they
/// give back ([DemoResult], [BenchRow]).
///
/// None of this knows the command line; the command line knows all of this.
@NullMarked
package io.github.hmm4j.demos.harness;

import org.jspecify.annotations.NullMarked;
