/// Each [io.github.hmm4j.demos.svm.Workload] as a program that checks its own results, written once for all strategies.
@NullMarked
package io.github.hmm4j.demos.svm.work;

import org.jspecify.annotations.NullMarked;
