package io.github.hmm4j.device.opencl.jocl;

import org.jocl.CLException;

/// A call that returns its status, or throws it if the application has told JOCL to.
@FunctionalInterface
interface StatusCall {

    int run();

    static int status(StatusCall call) {
        try {
            return call.run();
        } catch (CLException e) {
            return e.getStatus();
        }
    }
}
