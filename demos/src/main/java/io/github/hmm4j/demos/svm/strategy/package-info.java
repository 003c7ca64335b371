/// Each [io.github.hmm4j.demos.svm.Strategy] as a program would use it: allocate, work on the host, launch.
@NullMarked
package io.github.hmm4j.demos.svm.strategy;

import org.jspecify.annotations.NullMarked;
