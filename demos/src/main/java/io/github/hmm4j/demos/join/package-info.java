/// The demo `join`: a table too large for the device beside one that stays there.
@NullMarked
package io.github.hmm4j.demos.join;

import org.jspecify.annotations.NullMarked;
