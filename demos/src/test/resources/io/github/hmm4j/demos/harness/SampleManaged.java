package io.github.hmm4j.demos.harness;

// Read as text by LinesOfCodeTest: three lines of code.
final class SampleManaged {
    int one;
}
