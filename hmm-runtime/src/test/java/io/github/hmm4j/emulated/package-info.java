/// The reins of the emulated GPU, for tests that run on one: they hold its engines, stop and fail its calls, and lose it.
@NullMarked
package io.github.hmm4j.emulated;

import org.jspecify.annotations.NullMarked;
