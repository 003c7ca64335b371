/// The managed virtual address space: where regions lie, and the host memory behind them.
///
/// Blanket rules. Nulls throw. Ranges are half-open. A *page index* counts pages of the heap's page size from the base of the address space; an index, a count and a
/// size in bytes never meet without a named conversion of [PageSize][io.github.hmm4j.space.PageSize]. The Java memory model does not cover native memory: what
/// orders accesses to it is said where it matters. System calls are made here, and the native part is loaded here, and nowhere else.
///
/// Internal, but for [PageSize], [Protection] and [VaRange].
@NullMarked
package io.github.hmm4j.space;

import org.jspecify.annotations.NullMarked;
