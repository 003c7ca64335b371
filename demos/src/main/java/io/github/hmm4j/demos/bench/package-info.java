/// The benchmarks: each asks one question and answers it against baselines that are measured in the same run.
///
/// What is compared runs in turns (A B A B ...), so that what else the machine does meets both sides; figures are medians, and ratios are medians of the
/// ratios of neighbours. A warm-up comes first and every result is checked. What each row means is in `docs/benchmarks.md`.
@NullMarked
package io.github.hmm4j.demos.bench;

import org.jspecify.annotations.NullMarked;
