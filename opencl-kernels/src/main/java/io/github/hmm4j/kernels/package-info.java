/// Finds the OpenCL C sources of this module on the class path and joins them into programs.
@NullMarked
package io.github.hmm4j.kernels;

import org.jspecify.annotations.NullMarked;
