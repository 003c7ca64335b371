/// Arrays that are larger than what the device may hold, read and written once from end to end.
@NullMarked
package io.github.hmm4j.demos.stream;

import org.jspecify.annotations.NullMarked;
