package io.github.hmm4j.demos.harness;

// Read as text by LinesOfCodeTest: two lines of code.
final class SampleChecked extends SampleManaged {
}
