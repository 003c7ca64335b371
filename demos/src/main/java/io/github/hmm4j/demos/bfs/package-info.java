/// Breadth-first search, level by level: how many steps is each vertex of a graph away from a source?
@NullMarked
package io.github.hmm4j.demos.bfs;

import org.jspecify.annotations.NullMarked;
