/// The devices that demos run on: opening a managed heap, and a bare OpenCL queue beside it.
@NullMarked
package io.github.hmm4j.demos.device;

import org.jspecify.annotations.NullMarked;
