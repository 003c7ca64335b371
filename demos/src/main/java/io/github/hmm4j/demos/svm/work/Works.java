package io.github.hmm4j.demos.svm.work;

import io.github.hmm4j.demos.svm.Workload;

/// Finds the program of a workload.
public final class Works {
    private Works() {}

    public static Work of(Workload workload) {
        return switch (workload) {
            case STREAM -> new Stream();
            case ITERATE -> new Iterate();
            case SPARSE_READ_1 -> new SparseRead(workload, 1);
            case SPARSE_READ_10 -> new SparseRead(workload, 10);
            case SPARSE_UPDATE -> new SparseUpdate();
            case PING_PONG -> new PingPong();
            case CHASE -> new Chase();
            case REDUCE -> new Reduce();
            case HANDSHAKE -> new Handshake();
            case BEYOND_BUDGET -> new BeyondBudget();
            case FIRST_TOUCH -> new FirstTouch();
        };
    }
}
