/// `hmm devices`: what there is, and what hmm4j would do with it.
@NullMarked
package io.github.hmm4j.demos.devices;

import org.jspecify.annotations.NullMarked;
