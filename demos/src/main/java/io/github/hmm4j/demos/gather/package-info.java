/// Random rows of a table that is larger than what the device may hold: how much moves, if little of it is used?
@NullMarked
package io.github.hmm4j.demos.gather;

import org.jspecify.annotations.NullMarked;
