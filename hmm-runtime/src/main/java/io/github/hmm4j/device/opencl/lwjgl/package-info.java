/// OpenCL through LWJGL: foreign function calls on raw handles. The only package that knows LWJGL.
@NullMarked
package io.github.hmm4j.device.opencl.lwjgl;

import org.jspecify.annotations.NullMarked;
