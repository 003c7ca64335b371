/// Pointer-rich data: a search tree of words, built by ordinary Java code and searched through the same pointers.
///
/// [WordSource] finds the words, [WordTree] writes them as nodes into one stretch of memory, [Lookups] makes the
/// questions, and [LookupOracle] knows the answers without any tree.
@NullMarked
package io.github.hmm4j.demos.tree;

import org.jspecify.annotations.NullMarked;
