/// OpenCL through JOCL: objects of its own for handles, kept in a map. The only package that knows JOCL.
@NullMarked
package io.github.hmm4j.device.opencl.jocl;

import org.jspecify.annotations.NullMarked;
