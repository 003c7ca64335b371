/// Kernels that know nothing of pages run over more than the device may hold, because they fault ([io.github.hmm4j.HmmBuilder#deviceFaults()]): two of ours, and one from elsewhere.
@NullMarked
package io.github.hmm4j.demos.plain;

import org.jspecify.annotations.NullMarked;
