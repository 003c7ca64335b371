package io.github.hmm4j.conformance;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/// Who may take a step. A launch is slow and a touch of a page that is there takes no time: with each launch others get their share of turns, or there would be nearly no launches.
final class Turns {

    private static final int TOUCHES_PER_LAUNCH = 10;
    private static final int MOVES_PER_LAUNCH = 2;
    private static final int WAITING_AT_MOST = 100;

    final Semaphore touches = new Semaphore(0);
    final Semaphore moves = new Semaphore(0);
    final Semaphore advice = new Semaphore(0);
    private final AtomicLong stepsLeft;

    Turns(long steps) {
        stepsLeft = new AtomicLong(steps);
    }

    /// False if there are no more.
    boolean take() {
        return stepsLeft.getAndDecrement() > 0;
    }

    void launched() {
        touches.release(TOUCHES_PER_LAUNCH);
        moves.release(MOVES_PER_LAUNCH);
        advice.release();
    }

    /// Nobody need go on.
    void end() {
        stepsLeft.set(0);
        touches.release(WAITING_AT_MOST);
        moves.release(WAITING_AT_MOST);
        advice.release(WAITING_AT_MOST);
    }
}
