/// Runs each strategy on each workload in turns, and says how sure the figures are.
@NullMarked
package io.github.hmm4j.demos.svm.measure;

import org.jspecify.annotations.NullMarked;
