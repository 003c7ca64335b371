/// The benchmarks: each answers one question against baselines that are measured in the same run.
@NullMarked
package io.github.hmm4j.demos.bench;

import org.jspecify.annotations.NullMarked;
