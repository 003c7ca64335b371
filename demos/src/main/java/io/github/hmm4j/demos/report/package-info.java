/// How results are shown: [Table] and [Progress] for people, [Json] for programs.
@NullMarked
package io.github.hmm4j.demos.report;

import org.jspecify.annotations.NullMarked;
