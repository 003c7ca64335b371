/// What can go wrong in the world outside the program: one sealed family of exceptions.
///
/// A caller's mistake is an [IllegalArgumentException] or [IllegalStateException] and never appears here; an expected outcome (a lost race, a
/// pinned page) is a value. What remains is listed in [HmmException]. Each message names the call, the status, the size, the device and
/// **what state is left**, so that a log line is enough to know whether data was lost.
@NullMarked
package io.github.hmm4j.error;

import org.jspecify.annotations.NullMarked;
