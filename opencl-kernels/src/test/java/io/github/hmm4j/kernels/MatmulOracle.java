package io.github.hmm4j.kernels;

/// Products of square matrices in double precision, by the definition.
final class MatmulOracle {

    private MatmulOracle() {}

    static double[] multiply(float[] a, float[] b, int n) {
        double[] r = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                for (int k = 0; k < n; k++) {
                    r[i * n + j] += (double) a[i * n + k] * b[k * n + j];
                }
            }
        }
        return r;
    }

    /// How far each float result may be off: n roundings, each of at most half a step of the sum of magnitudes.
    static double[] tolerance(float[] a, float[] b, int n) {
        double[] magnitudes = multiply(magnitudes(a), magnitudes(b), n);
        for (int i = 0; i < magnitudes.length; i++) {
            magnitudes[i] *= (n + 1) * 0x1p-23;
        }
        return magnitudes;
    }

    private static float[] magnitudes(float[] values) {
        float[] magnitudes = values.clone();
        for (int i = 0; i < magnitudes.length; i++) {
            magnitudes[i] = Math.abs(magnitudes[i]);
        }
        return magnitudes;
    }
}
