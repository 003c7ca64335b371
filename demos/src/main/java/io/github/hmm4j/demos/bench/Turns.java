package io.github.hmm4j.demos.bench;

import io.github.hmm4j.demos.report.Progress;

/// Two things measured in turns, in changing order, so that whatever else the machine does meets both.
///
/// @param ours   one measurement of each run
/// @param theirs its neighbours
record Turns(Samples ours, Samples theirs) {

    /// One measurement, in whatever unit.
    @FunctionalInterface
    interface Measured {
        double measure() throws Exception;
    }

    static Turns take(int warmUps, int runs, Progress progress, Measured ours, Measured theirs) throws Exception {
        Turns turns = new Turns(new Samples(), new Samples());
        for (int run = -warmUps; run < runs; run++) {
            boolean oursFirst = run % 2 == 0;
            double early = (oursFirst ? ours : theirs).measure();
            double late = (oursFirst ? theirs : ours).measure();
            if (run >= 0) {
                turns.ours.add(oursFirst ? early : late);
                turns.theirs.add(oursFirst ? late : early);
            }
            progress.update(run + warmUps, runs + warmUps);
        }
        return turns;
    }

    Samples ratio() {
        return ours.over(theirs);
    }
}
