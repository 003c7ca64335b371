/// The `hmm` command line, its demos and its benchmarks.
@NullMarked
package io.github.hmm4j.demos;

import org.jspecify.annotations.NullMarked;
