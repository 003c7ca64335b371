package io.github.hmm4j.device.opencl;

final class JoclClApiTest extends ClApiContract {

    JoclClApiTest() {
        super(ClBinding.JOCL);
    }
}
