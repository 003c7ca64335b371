/// The classes of the running JDK, real input that every machine already has.
@NullMarked
package io.github.hmm4j.demos.jdk;

import org.jspecify.annotations.NullMarked;
