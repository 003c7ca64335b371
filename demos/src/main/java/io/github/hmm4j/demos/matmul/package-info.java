/// Matrix multiplication, the example of the HMM texts: three device buffers and three copies against one call.
@NullMarked
package io.github.hmm4j.demos.matmul;

import org.jspecify.annotations.NullMarked;
