package io.github.hmm4j.demos.svm.report;

import java.util.ArrayList;
import java.util.List;

/// Places positive values on a logarithmic axis.
///
/// @param low  the value at `from`, in the unit of the values
/// @param high the value at `to`; larger than `low`
/// @param from where the axis begins, in pixels
/// @param to   where it ends; may be smaller than `from`
record Scale(double low, double high, double from, double to) {
    Scale {
        if (!(low > 0 && high > low && Double.isFinite(high))) {
            throw new IllegalArgumentException("low=" + low + ", high=" + high);
        }
    }

    /// With all values of an interval on it, also if that is a single one.
    static Scale of(double low, double high, double from, double to) {
        return low == high ? new Scale(low / 2, high * 2, from, to) : new Scale(low, high, from, to);
    }

    /// The same with some room at both ends, a part of the axis.
    Scale withRoom(double part) {
        double room = Math.pow(high / low, part);
        return new Scale(low / room, high * room, from, to);
    }

    double at(long value) {
        return at((double) value);
    }

    double at(double value) {
        return from + (to - from) * Math.log(Math.clamp(value, low, high) / low) / Math.log(high / low);
    }

    /// Round values for the marks of the axis: powers of ten; 2 and 5 times them where there are few of those.
    List<Double> ticks() {
        double decades = Math.log10(high / low);
        double[] digits = decades < 1.2 ? new double[] {1, 2, 5} : decades < 2.2 ? new double[] {1, 3} : new double[] {1};
        List<Double> ticks = new ArrayList<>();
        for (int exponent = (int) Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++) {
            for (double digit : digits) {
                double tick = digit * Math.pow(10, exponent);
                if (tick >= low && tick <= high) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }
}
