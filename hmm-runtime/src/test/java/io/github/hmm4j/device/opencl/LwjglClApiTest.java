package io.github.hmm4j.device.opencl;

final class LwjglClApiTest extends ClApiContract {

    LwjglClApiTest() {
        super(ClBinding.LWJGL);
    }
}
