/// Graphs as the demos use them: [CsrGraph], and where they come from.
///
/// | source                                            | vertices                       | named by                  |
/// | ------------------------------------------------- | ------------------------------ | ------------------------- |
/// | SNAP edge list ([EdgeListReader])                 | the ids that occur             | the id in the file        |
/// | Matrix Market coordinate ([MatrixMarketReader])   | all rows, isolated ones too    | the 1-based row           |
/// | the running JDK ([JdkClassGraph])                 | all classes of all modules     | the class name            |
///
/// Edges are directed and kept as listed: no duplicate is dropped, no self-loop either. A symmetric Matrix Market
/// file lists each pair once and stands for both directions, so there the mirror image is added.
@NullMarked
package io.github.hmm4j.demos.graph;

import org.jspecify.annotations.NullMarked;
