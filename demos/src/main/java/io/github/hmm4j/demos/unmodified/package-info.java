/// Libraries that know nothing of managed memory take turns with kernels on the same bytes.
///
/// [Readings] makes numbers; `Libraries` digests, compresses and checks them; `CpuOnly` says what must come out.
@NullMarked
package io.github.hmm4j.demos.unmodified;

import org.jspecify.annotations.NullMarked;
